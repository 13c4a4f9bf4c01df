# Backbone and neck for small one-channel images, from scratch: ResNet-18 at half width whose first
# stage keeps stride 2, and a pyramid of strides 4 to 32.
model = dict(
    data_preprocessor=dict(
        type='DetDataPreprocessor', mean=[0.0], std=[1.0], bgr_to_rgb=False, pad_size_divisor=32),
    backbone=dict(
        type='SmallImageResNet',
        depth=18,
        in_channels=1,
        base_channels=32,
        stem_channels=32,
        num_stages=4,
        strides=(1, 2, 2, 2),
        out_indices=(1, 2, 3),
        frozen_stages=-1,
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
        style='pytorch',
        zero_init_residual=False,
        init_cfg=None),
    neck=dict(
        type='FPN',
        in_channels=[64, 128, 256],
        out_channels=64,
        add_extra_convs='on_input',
        num_outs=4))
