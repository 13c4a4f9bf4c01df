# mmdet's varifocal loss (VFNet) on RetinaNet's backbone and neck, on the embedded set.
_base_ = [
    '../_base_/models/vfnet_r18.py', '../_base_/datasets/synthetic.py',
    '../_base_/schedules/adamw_12e.py', '../_base_/default_runtime.py'
]
model = dict(bbox_head=dict(num_classes=_base_.num_classes))
