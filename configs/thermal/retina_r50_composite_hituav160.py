# RetinaNet R-50 with the composite loss; everything else is the baseline's. For a GPU.
_base_ = './retina_r50_focal_hituav160.py'
model = dict(
    bbox_head=dict(
        type='CompositeRetinaHead',
        loss_composite=dict(type='CompositeLoss', ramp_iters=500)),
    train_cfg=dict(sampler=dict(_delete_=True, type='HardNegativeMiner', ratio=3.0, min_neg=16)))
