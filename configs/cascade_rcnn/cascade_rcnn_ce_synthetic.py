# Cascade R-CNN with cross-entropy and random sampling, the baseline, on the embedded set.
_base_ = [
    '../_base_/models/cascade_rcnn_r18.py', '../_base_/datasets/synthetic.py',
    '../_base_/schedules/adamw_12e.py', '../_base_/default_runtime.py'
]
model = dict(
    roi_head=dict(bbox_head=[
        dict(head, num_classes=_base_.num_classes) for head in _base_.model.roi_head.bbox_head
    ]))
