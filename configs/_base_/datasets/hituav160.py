# 160 x 128 windows of HIT-UAV (Suo et al., Scientific Data 2023; CC BY 4.0), split by flight block.
# 8-bit frames, already stretched by the camera's gain control: one mean and deviation for all keep
# the absolute level, which NormalizeFrame would take away (docs/lab_notebook.md, the testbed).
_base_ = './thermal_detection.py'
data_root = '../shared/data/hituav160/'
num_classes = 3
train_pipeline = [
    dict(type='LoadThermalImage', channels=1),
    dict(type='Normalize', mean=[128.0], std=[64.0], to_rgb=False),
    *_base_.train_pipeline[2:]  # from LoadAnnotations on
]
test_pipeline = [*train_pipeline[:2], *_base_.test_pipeline[2:]]  # from Resize on
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/val.json')
test_evaluator = val_evaluator
