# Faster R-CNN with the composite loss in the RoI head, on FLIR ADAS v2 (docs/data_sets.md).
_base_ = [
    '../_base_/models/faster_rcnn_r18_five_levels.py',
    '../_base_/losses/faster_rcnn_composite.py',
    '../_base_/datasets/flir_v2.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/default_runtime.py',
]
model = _base_.pop('loss_delta')
model.roi_head.bbox_head.num_classes = _base_.num_classes
