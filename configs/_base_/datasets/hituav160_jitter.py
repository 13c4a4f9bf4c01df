# The same with jitter of scale and place, and more of contrast and brightness, for long trainings.
_base_ = './hituav160.py'
train_pipeline = [
    *_base_.train_pipeline[:3],  # to LoadAnnotations
    dict(type='RandomResize', scale=(160, 128), ratio_range=(0.8, 1.6), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(160, 128), allow_negative_crop=True),  # width, height
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomContrastBrightness', contrast=0.3, brightness=0.3),
    dict(type='PackDetInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
