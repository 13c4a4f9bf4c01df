# Faster R-CNN with the composite loss in the RoI head, on LLVIP (docs/data_sets.md).
_base_ = [
    '../_base_/models/faster_rcnn_r18_five_levels.py',
    '../_base_/losses/faster_rcnn_composite.py',
    '../_base_/datasets/llvip.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/default_runtime.py',
]
model = _base_.pop('loss_delta')
model.roi_head.bbox_head.num_classes = _base_.num_classes
model.rpn_head = dict(anchor_generator=dict(ratios=[1.0, 2.0, 3.0]))  # height over width: persons
