# The composite loss in mmdet's Cascade R-CNN, R-50 on COCO. For a GPU.
_base_ = 'mmdet::cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py'
custom_imports = dict(imports=['mmthermal'], allow_failed_imports=False)
model = dict(
    roi_head=dict(bbox_head=[
        dict(head, type='CompositeBBoxHead', loss_composite=dict(warmup_iters=500, ramp_iters=500))
        for head in _base_.model.roi_head.bbox_head
    ]),
    train_cfg=dict(rcnn=[
        dict(stage, assigner=dict(  # crowds are not mined
            stage.assigner, type='IgnoreAwareMaxIoUAssigner', ignore_iof_thr=0.5))
        for stage in _base_.model.train_cfg.rcnn
    ]))
