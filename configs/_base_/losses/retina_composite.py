# The composite loss in RetinaNet's head. A config over a baseline takes it by model = _base_.pop('loss_delta'),
# as every file of this folder: loss_delta is what changes in the baseline's model.
loss_delta = dict(
    bbox_head=dict(type='CompositeRetinaHead', loss_composite=dict(type='CompositeLoss', ramp_iters=100)),
    train_cfg=dict(sampler=dict(_delete_=True, type='HardNegativeMiner', ratio=3.0, min_neg=16)))
