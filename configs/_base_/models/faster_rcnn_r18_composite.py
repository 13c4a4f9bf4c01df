# Faster R-CNN with the composite loss in the RoI head; everything else is the baseline's, its random RoIs
# included: all are in the cross-entropy, the hardest 1.5 negatives per positive in the composite. Its weight is
# small: with w_cls=1, f1_share=0.5 and HardNegativeSampler it cost 8 points of AP50 (docs/results.md).
_base_ = './faster_rcnn_r18_thermal.py'
model = dict(
    roi_head=dict(
        bbox_head=dict(
            type='CompositeBBoxHead',
            neg_ratio=1.5,
            loss_composite=dict(
                type='CompositeLoss',
                w_cls=0.25,
                f1_share=0.2,
                f1_negatives='joint',
                warmup_iters=200,
                ramp_iters=200))))
