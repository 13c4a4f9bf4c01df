# The composite loss in the RoI head of Faster R-CNN.
_base_ = './bbox_head_composite.py'
loss_delta = dict(roi_head=dict(bbox_head=_base_.pop('bbox_head_delta')))
