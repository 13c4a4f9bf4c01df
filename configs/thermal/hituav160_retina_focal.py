# The baseline on real data: RetinaNet with focal and L1 loss.
_base_ = [
    '../_base_/models/retina_r18_thermal.py', '../_base_/datasets/hituav160.py',
    '../_base_/schedules/adamw_6e.py', '../_base_/default_runtime.py'
]
# mean and standard deviation of the grey values of the training set
model = dict(
    data_preprocessor=dict(mean=[129.3], std=[37.4]),
    bbox_head=dict(num_classes=3))
