# The composite loss in mmdet's ATSS, R-50 on COCO. For a GPU.
_base_ = 'mmdet::atss/atss_r50_fpn_1x_coco.py'
custom_imports = dict(imports=['mmthermal'], allow_failed_imports=False)
model = dict(
    bbox_head=dict(
        type='CompositeATSSHead', loss_composite=dict(ramp_iters=500)),
    train_cfg=dict(sampler=dict(type='HardNegativeMiner', ratio=3.0)))
