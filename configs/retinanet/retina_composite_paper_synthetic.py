# RetinaNet with the paper's formulas beside the dense term, on the embedded set; everything else is the baseline's.
_base_ = ['./retina_focal_synthetic.py', '../_base_/losses/retina_composite_paper.py']
model = _base_.pop('loss_delta')
