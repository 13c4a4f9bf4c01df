# Faster R-CNN R-50 with the composite loss in the RoI head; everything else is the baseline's. For a GPU.
_base_ = ['./faster_rcnn_r50_ce_hituav160.py', '../_base_/losses/faster_rcnn_composite.py']
model = _base_.pop('loss_delta')
model.roi_head.bbox_head.loss_composite.update(warmup_iters=500, ramp_iters=500)
