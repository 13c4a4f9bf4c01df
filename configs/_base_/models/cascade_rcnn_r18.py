# Cascade R-CNN for small one-channel images, trained from scratch.
_base_ = './faster_rcnn_r18.py'
__rcnn = _base_.model.train_cfg.rcnn  # with two underscores it is no key of the config
model = dict(
    type='CascadeRCNN',
    roi_head=dict(
        type='CascadeRoIHead',
        num_stages=3,
        stage_loss_weights=[1, 0.5, 0.25],
        bbox_head=[
            dict(
                type='Shared2FCBBoxHead',
                in_channels=64,
                fc_out_channels=256,
                reg_class_agnostic=True,
                bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_stds=stds))
            for stds in ([0.1, 0.1, 0.2, 0.2], [0.05, 0.05, 0.1, 0.1], [0.033, 0.033, 0.067, 0.067])
        ]),
    train_cfg=dict(rcnn=[
        dict(__rcnn, assigner=dict(__rcnn.assigner, pos_iou_thr=iou, neg_iou_thr=iou, min_pos_iou=iou))
        for iou in (0.5, 0.6, 0.7)
    ]))
