# Cascade R-CNN for small one-channel images, trained from scratch. Its three bbox heads are in the configs, for
# a list can't be overridden in part: the number of classes is the data set's.
_base_ = './faster_rcnn_r18_thermal.py'
model = dict(
    type='CascadeRCNN',
    roi_head=dict(
        type='CascadeRoIHead', num_stages=3, stage_loss_weights=[1, 0.5, 0.25], bbox_head=None),
    train_cfg=dict(rcnn=[
        dict(
            assigner=dict(
                type='MaxIoUAssigner',
                pos_iou_thr=iou,
                neg_iou_thr=iou,
                min_pos_iou=iou,
                match_low_quality=False,
                ignore_iof_thr=0.5),
            sampler=dict(type='RandomSampler', num=64, pos_fraction=0.25, add_gt_as_proposals=True),
            pos_weight=-1,
            debug=False) for iou in (0.5, 0.6, 0.7)
    ]))
