# Pipelines and loaders of sets that tools/convert.py has written with --copy (docs/convert.md): 8-bit frames, stretched
# by the camera's gain control, one mean and deviation for all. A config over this one sets data_root, classes, files.
_base_ = './thermal_detection.py'
train_pipeline = [
    dict(type='LoadThermalImage', channels=1),
    dict(type='Normalize', mean=[128.0], std=[64.0], to_rgb=False),
    *_base_.train_pipeline[2:]  # from LoadAnnotations on
]
test_pipeline = [*train_pipeline[:2], *_base_.test_pipeline[2:]]  # from Resize on
files = dict(data_prefix=dict(img='images/'))
train_dataloader = dict(dataset=dict(ann_file='train.json', pipeline=train_pipeline, **files))
val_dataloader = dict(dataset=dict(ann_file='val.json', pipeline=test_pipeline, **files))
test_dataloader = dict(dataset=dict(ann_file='test.json', pipeline=test_pipeline, **files))
