# The composite loss on the embedded set; everything else is the baseline's.
_base_ = './retina_focal.py'
model = dict(
    bbox_head=dict(
        type='CompositeRetinaHead',
        loss_composite=dict(type='CompositeLoss', ramp_iters=100)),
    train_cfg=dict(sampler=dict(_delete_=True, type='HardNegativeMiner', ratio=3.0, min_neg=16)))
