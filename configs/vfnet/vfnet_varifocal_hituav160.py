# mmdet's varifocal loss (VFNet) on RetinaNet's backbone and neck, on windows of HIT-UAV.
_base_ = [
    '../_base_/models/vfnet_r18.py', '../_base_/datasets/hituav160.py',
    '../_base_/schedules/adamw_6e.py', '../_base_/default_runtime.py'
]
model = dict(bbox_head=dict(num_classes=_base_.num_classes))
