# Augmentations on hituav160, RetinaNet with the composite loss (docs/augmentations.md).
# python tools/study.py train configs/studies/augmentations.py --only main --seeds 0 1 2
_base_ = ['../_base_/datasets/hituav160.py', '../_base_/default_runtime.py']
base = '../retinanet/retina_composite_hituav160.py'
load, normalize, annotations, *rest = _base_.train_pipeline
copy_paste = dict(type='OverlapCopyPaste', prob=0.3)
jitter = [
    dict(type='RandomResize', scale=(160, 128), ratio_range=(0.8, 1.6), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(160, 128), allow_negative_crop=True),
]
half = dict(type='RandomApply', prob=0.5)
sensor = [
    dict(half, transforms=[dict(type='RandomDrift')]),
    dict(half, transforms=[dict(type='RandomFixedPattern'), dict(type='RandomTemporalNoise')]),
    dict(type='RandomApply', prob=0.2, transforms=[dict(type='RandomBlur')]),
]
resolution = dict(
    type='RandomApply', prob=0.2, transforms=[dict(type='RandomResolutionDrop', sizes=[(80, 64)])])
without = {  # pipelines without copies
    'flip': [load, normalize, annotations, *rest],
    'jitter': [load, normalize, annotations, *jitter, *rest[1:]],  # in place of Resize
}
with_copies = {name: [*steps[:3], copy_paste, *steps[3:]] for name, steps in without.items()}
sensors = {
    'sensor': [load, *sensor, normalize, annotations, *rest],
    'polarity': [load, dict(type='RandomPolarity'), normalize, annotations, *rest],
    'resolution': [load, resolution, normalize, annotations, *rest],
}
pipeline = 'train_dataloader.dataset.pipeline'
# the last third of the epochs has no copies
switch = {
    (name, epochs): [
        *_base_.custom_hooks,
        dict(type='PipelineSwitchHook', switch_epoch=epochs * 2 // 3, switch_pipeline=steps),
    ]
    for name, steps in without.items()
    for epochs in (6, 12)
}
options = {
    **{name: {pipeline: steps} for name, steps in {**without, **sensors}.items()},
    'copy_paste': {pipeline: with_copies['flip'], 'custom_hooks': switch['flip', 6]},
    'copy_paste_to_the_end': {pipeline: with_copies['flip']},
    'copy_paste_jitter': {pipeline: with_copies['jitter'], 'custom_hooks': switch['jitter', 6]},
    'jitter_12e': {pipeline: without['jitter'], 'train_cfg.max_epochs': 12},
    'copy_paste_jitter_12e': {
        pipeline: with_copies['jitter'], 'custom_hooks': switch['jitter', 12], 'train_cfg.max_epochs': 12
    },
}
variants = {f'augment_{name}': dict(options=changes) for name, changes in options.items()}
groups = {
    'main': ['augment_flip', 'augment_copy_paste', 'augment_jitter', 'augment_copy_paste_jitter'],
    'sensors': [f'augment_{name}' for name in sensors],
    'long': ['augment_jitter_12e', 'augment_copy_paste_jitter_12e'],
}
