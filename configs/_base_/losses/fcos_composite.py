# The composite loss in FCOS's head.
loss_delta = dict(
    bbox_head=dict(type='CompositeFCOSHead', loss_composite=dict(type='CompositeLoss', ramp_iters=100)),
    train_cfg=dict(sampler=dict(type='HardNegativeMiner', ratio=3.0, min_neg=16)))
