# Faster R-CNN with the composite loss in the RoI head; everything else is the baseline's. Half of the negatives
# are mined, half drawn at random: all are in the cross-entropy, the hardest 1.5 per positive in the composite.
_base_ = './faster_rcnn_r18_thermal.py'
model = dict(
    roi_head=dict(
        bbox_head=dict(
            type='CompositeBBoxHead',
            neg_ratio=1.5,
            loss_composite=dict(type='CompositeLoss', warmup_iters=200, ramp_iters=200))),
    train_cfg=dict(
        rcnn=dict(sampler=dict(type='HardNegativeSampler', ratio=3.0, min_neg=16, random_share=0.5))))
