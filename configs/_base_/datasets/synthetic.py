# The embedded set: 160 x 120 scenes of 16-bit counts, made by 'python tools/make_synthetic.py'.
_base_ = './thermal_detection.py'
num_classes = 4
