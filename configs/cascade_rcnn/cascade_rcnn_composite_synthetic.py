# Cascade R-CNN with the composite loss in every stage, on the embedded set.
_base_ = ['./cascade_rcnn_ce_synthetic.py', '../_base_/losses/bbox_head_composite.py']
__delta = _base_.pop('bbox_head_delta')  # with two underscores it is no key of the config
model = dict(roi_head=dict(bbox_head=[dict(head, **__delta) for head in _base_.model.roi_head.bbox_head]))
