# Hard negatives of the whole set, mined after every second epoch and trained on harder; docs/mining.md.
_base_ = './retina_composite_synthetic.py'
train_dataloader = dict(sampler=dict(type='MinedImageSampler'))
custom_hooks = [
    dict(type='NumClassCheckHook'),
    dict(type='HardNegativeMiningHook', begin=2, interval=2)
]
