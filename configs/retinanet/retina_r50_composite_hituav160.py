# RetinaNet R-50 with the composite loss; everything else is the baseline's. For a GPU.
_base_ = ['./retina_r50_focal_hituav160.py', '../_base_/losses/retina_composite.py']
model = _base_.pop('loss_delta')
model.bbox_head.loss_composite.ramp_iters = 500
