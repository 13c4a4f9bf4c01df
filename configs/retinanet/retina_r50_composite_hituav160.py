# RetinaNet R-50 with the composite loss; everything else is the baseline's. For a GPU.
_base_ = ['./retina_r50_focal_hituav160.py', '../_base_/losses/retina_composite.py']
model = _base_.pop('loss_delta')
model.bbox_head.loss_composite.update(w_box=1.0, ramp_iters=500)  # the weight of mmdet's box loss
