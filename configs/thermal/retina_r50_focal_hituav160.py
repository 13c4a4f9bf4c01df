# mmdet's RetinaNet R-50, 1x, on one-channel images enlarged fourfold. For a GPU.
_base_ = [
    'mmdet::_base_/models/retinanet_r50_fpn.py', '../_base_/datasets/hituav160.py',
    'mmdet::_base_/schedules/schedule_1x.py', '../_base_/default_runtime.py'
]
model = dict(
    data_preprocessor=dict(mean=[0.0] * 3, std=[1.0] * 3, bgr_to_rgb=False),
    bbox_head=dict(num_classes=3))
# the channel three times, for the backbone that was pretrained on colour
train_pipeline = [
    dict(type='LoadThermalImage', channels=3),
    dict(type='NormalizeFrame'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=(640, 512), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomContrastBrightness', contrast=0.2, brightness=0.2),
    dict(type='PackDetInputs')
]
test_pipeline = [
    dict(type='LoadThermalImage', channels=3),
    dict(type='NormalizeFrame'),
    dict(type='Resize', scale=(640, 512), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'))
]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=0.01))
