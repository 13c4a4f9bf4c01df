# Pipelines and loaders of any COCO-style thermal data set. A config over this one sets the three
# data_root / ann_file / data_prefix and, where it wants a choice of classes, metainfo.
dataset_type = 'ThermalCocoDataset'
data_root = 'data/synthetic/'

train_pipeline = [
    dict(type='LoadThermalImage', channels=1),
    dict(type='NormalizeFrame'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale_factor=1.0),  # native pixels; or scale=(width, height), keep_ratio=True
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomContrastBrightness', contrast=0.2, brightness=0.2),
    dict(type='PackDetInputs')
]
test_pipeline = [
    dict(type='LoadThermalImage', channels=1),
    dict(type='NormalizeFrame'),
    dict(type='Resize', scale_factor=1.0),
    dict(type='LoadAnnotations', with_bbox=True),  # after Resize: drawn and evaluated as in the file
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'))
]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img='train/'),
        filter_cfg=dict(filter_empty_gt=False),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/val.json',
        data_prefix=dict(img='val/'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='OverlapCocoMetric', ann_file=data_root + 'annotations/val.json', metric='bbox')
test_evaluator = val_evaluator
