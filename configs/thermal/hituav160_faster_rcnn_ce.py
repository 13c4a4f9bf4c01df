# The two-stage baseline on real data: Faster R-CNN with cross-entropy, L1 and random sampling.
_base_ = [
    '../_base_/models/faster_rcnn_r18_thermal.py', '../_base_/datasets/hituav160.py',
    '../_base_/schedules/adamw_6e.py', '../_base_/default_runtime.py'
]
model = dict(
    data_preprocessor=dict(mean=[129.3], std=[37.4]),
    roi_head=dict(bbox_head=dict(num_classes=3)))
