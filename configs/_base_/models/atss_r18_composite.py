# ATSS with the composite loss; everything else is the baseline's.
_base_ = './atss_r18_thermal.py'
model = dict(
    bbox_head=dict(
        type='CompositeATSSHead',
        loss_composite=dict(type='CompositeLoss', ramp_iters=100)),
    train_cfg=dict(sampler=dict(type='HardNegativeMiner', ratio=3.0, min_neg=16)))
