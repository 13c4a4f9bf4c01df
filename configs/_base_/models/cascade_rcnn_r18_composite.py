# Cascade R-CNN whose stages mine; the composite heads are in the configs (see cascade_rcnn_r18_thermal.py).
_base_ = './cascade_rcnn_r18_thermal.py'
model = dict(
    train_cfg=dict(rcnn=[
        dict(
            assigner=dict(
                type='MaxIoUAssigner',
                pos_iou_thr=iou,
                neg_iou_thr=iou,
                min_pos_iou=iou,
                match_low_quality=False,
                ignore_iof_thr=0.5),
            sampler=dict(
                type='HardNegativeSampler',
                num=64,
                pos_fraction=0.25,
                add_gt_as_proposals=True,
                ratio=3.0,
                min_neg=16,
                random_share=0.5),
            pos_weight=-1,
            debug=False) for iou in (0.5, 0.6, 0.7)
    ]))
