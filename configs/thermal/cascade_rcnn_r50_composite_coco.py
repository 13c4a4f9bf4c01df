# The composite loss in mmdet's Cascade R-CNN, R-50 on COCO. For a GPU.
_base_ = 'mmdet::cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py'
custom_imports = dict(imports=['mmthermal'], allow_failed_imports=False)
model = dict(
    roi_head=dict(bbox_head=[
        dict(
            type='CompositeBBoxHead',
            loss_composite=dict(warmup_iters=500, ramp_iters=500),
            num_classes=80,
            reg_class_agnostic=True,
            bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_stds=stds),
            loss_bbox=dict(type='SmoothL1Loss', beta=1.0))
        for stds in ([0.1, 0.1, 0.2, 0.2], [0.05, 0.05, 0.1, 0.1], [0.033, 0.033, 0.067, 0.067])
    ]))
