# The composite loss in the RPN, too, which then learns from all anchors.
_base_ = './faster_rcnn_composite.py'
loss_delta = dict(
    rpn_head=dict(
        type='CompositeRPNHead',
        loss_composite=dict(
            type='CompositeLoss', warmup_iters=200, ramp_iters=200, f1_form='soft', w_box=1.0)),
    train_cfg=dict(
        rpn=dict(sampler=dict(_delete_=True, type='HardNegativeMiner', ratio=3.0, min_neg=16))))
