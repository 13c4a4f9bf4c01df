# Faster R-CNN with cross-entropy, L1 and random sampling, the baseline, on windows of HIT-UAV.
_base_ = [
    '../_base_/models/faster_rcnn_r18.py', '../_base_/datasets/hituav160.py',
    '../_base_/schedules/adamw_6e.py', '../_base_/default_runtime.py'
]
# The assigner of the results in docs/results.md. It differs in the 4 of 2291 windows that hold a crowd region alone.
__assigner = dict(assigner=dict(type='MaxIoUAssigner'))  # with two underscores it is no key of the config
model = dict(
    roi_head=dict(bbox_head=dict(num_classes=_base_.num_classes)),
    train_cfg=dict(rpn=__assigner, rcnn=__assigner))
