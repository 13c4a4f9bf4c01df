# The same, enlarged fourfold and the channel three times, for a backbone pretrained on colour.
_base_ = './hituav160.py'
train_pipeline = [
    dict(type='LoadThermalImage', channels=3),
    dict(type='Normalize', mean=[128.0] * 3, std=[64.0] * 3, to_rgb=False),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=(640, 512), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomContrastBrightness', contrast=0.2, brightness=0.2),
    dict(type='PackDetInputs')
]
test_pipeline = [
    dict(type='LoadThermalImage', channels=3),
    dict(type='Normalize', mean=[128.0] * 3, std=[64.0] * 3, to_rgb=False),
    dict(type='Resize', scale=(640, 512), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'))
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
