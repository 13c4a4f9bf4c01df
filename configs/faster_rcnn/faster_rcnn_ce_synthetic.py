# Faster R-CNN with cross-entropy, L1 and random sampling, the baseline, on the embedded set.
_base_ = [
    '../_base_/models/faster_rcnn_r18.py', '../_base_/datasets/synthetic.py',
    '../_base_/schedules/adamw_12e.py', '../_base_/default_runtime.py'
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=_base_.num_classes)))
