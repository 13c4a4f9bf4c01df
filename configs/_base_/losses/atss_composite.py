# The composite loss in ATSS's head.
loss_delta = dict(
    bbox_head=dict(type='CompositeATSSHead', loss_composite=dict(type='CompositeLoss', ramp_iters=100)),
    train_cfg=dict(sampler=dict(type='HardNegativeMiner', ratio=3.0, min_neg=16)))
