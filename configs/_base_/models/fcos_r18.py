# FCOS for small one-channel images, trained from scratch, with center sampling and normalised distances.
_base_ = './dense_r18_fpn.py'
model = dict(
    type='FCOS',
    bbox_head=dict(
        type='FCOSHead',
        in_channels=64,
        feat_channels=64,
        stacked_convs=2,
        strides=[4, 8, 16, 32],
        regress_ranges=((-1, 16), (16, 32), (32, 64), (64, 1e8)),
        center_sampling=True,
        norm_on_bbox=True,
        centerness_on_reg=True,
        norm_cfg=dict(type='GN', num_groups=16, requires_grad=True),
        loss_cls=dict(type='FocalLoss', use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=1.0),
        loss_bbox=dict(type='GIoULoss', loss_weight=2.0),
        loss_centerness=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0)))
