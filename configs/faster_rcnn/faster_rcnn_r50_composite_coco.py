# The composite loss in mmdet's Faster R-CNN, R-50 on COCO. For a GPU.
_base_ = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
custom_imports = dict(imports=['mmthermal'], allow_failed_imports=False)
model = dict(
    roi_head=dict(
        bbox_head=dict(type='CompositeBBoxHead', loss_composite=dict(warmup_iters=500, ramp_iters=500))),
    train_cfg=dict(rcnn=dict(assigner=dict(  # crowds are not mined
        type='IgnoreAwareMaxIoUAssigner', ignore_iof_thr=0.5))))
