# RetinaNet with the composite loss on the embedded set, under the name that people call.
_base_ = '../retinanet/retina_composite_synthetic.py'
