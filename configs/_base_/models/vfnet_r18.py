# mmdet's varifocal loss on RetinaNet's backbone and neck. It comes with VFNetHead: points with ATSS targets,
# boxes refined by deformable convolutions.
_base_ = './dense_r18_fpn.py'
model = dict(
    type='VFNet',
    bbox_head=dict(
        type='Float32VFNetHead',
        in_channels=64,
        feat_channels=64,
        stacked_convs=2,
        strides=[4, 8, 16, 32],
        regress_ranges=((-1, 16), (16, 32), (32, 64), (64, 1e8)),
        center_sampling=False,
        dcn_on_last_conv=False,
        use_atss=True,
        use_vfl=True,
        norm_cfg=dict(type='GN', num_groups=16, requires_grad=True),
        anchor_generator=dict(
            type='AnchorGenerator',
            ratios=[1.0],
            octave_base_scale=4,
            scales_per_octave=1,
            center_offset=0.0,
            strides=[4, 8, 16, 32]),
        loss_cls=dict(
            type='VarifocalLoss',
            use_sigmoid=True,
            alpha=0.75,
            gamma=2.0,
            iou_weighted=True,
            loss_weight=1.0),
        loss_bbox=dict(type='GIoULoss', loss_weight=1.5),
        loss_bbox_refine=dict(type='GIoULoss', loss_weight=2.0)),
    train_cfg=dict(
        assigner=dict(type='ATSSAssigner', topk=9), allowed_border=-1, pos_weight=-1, debug=False))
