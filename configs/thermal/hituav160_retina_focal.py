# The baseline on real data: RetinaNet with focal and L1 loss.
_base_ = [
    '../_base_/models/retina_r18_thermal.py', '../_base_/datasets/hituav160.py',
    '../_base_/schedules/adamw_6e.py', '../_base_/default_runtime.py'
]
model = dict(bbox_head=dict(num_classes=3))
