# A ResNet-50 trained from scratch in place of mmdet's, whose first stage and batch norms are frozen: they are for
# pretrained weights.
model_delta = dict(
    backbone=dict(
        frozen_stages=-1, norm_cfg=dict(type='BN', requires_grad=True), norm_eval=False, init_cfg=None))
