# Backbone and neck for small one-channel images: ResNet-18 at half width, strides 4 to 32, from scratch.
model = dict(
    data_preprocessor=dict(
        type='DetDataPreprocessor', mean=[0.0], std=[1.0], bgr_to_rgb=False, pad_size_divisor=32),
    backbone=dict(
        type='ResNet',
        depth=18,
        in_channels=1,
        base_channels=32,
        stem_channels=32,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        frozen_stages=-1,
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
        style='pytorch',
        init_cfg=None),
    neck=dict(
        type='FPN',
        in_channels=[32, 64, 128, 256],
        out_channels=64,
        num_outs=4))
