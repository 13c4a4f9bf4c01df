# The same, enlarged fourfold and the channel three times, for a backbone pretrained on colour.
_base_ = './hituav160.py'
train_pipeline = [
    dict(type='LoadThermalImage', channels=3),
    dict(type='Normalize', mean=[128.0] * 3, std=[64.0] * 3, to_rgb=False),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=(640, 512), keep_ratio=True),
    *_base_.train_pipeline[4:]  # from RandomFlip on
]
test_pipeline = [*train_pipeline[:2], train_pipeline[3], *_base_.test_pipeline[3:]]  # from LoadAnnotations on
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
