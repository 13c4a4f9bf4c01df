# The few lines that put the composite loss into an existing MMDetection config. For a GPU.
_base_ = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'
custom_imports = dict(imports=['mmthermal'], allow_failed_imports=False)
model = dict(
    bbox_head=dict(type='CompositeRetinaHead', loss_composite=dict(w_box=1.0, ramp_iters=500)),
    train_cfg=dict(sampler=dict(_delete_=True, type='HardNegativeMiner', ratio=3.0)))
