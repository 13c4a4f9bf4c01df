# Faster R-CNN with the composite loss in the RoI head; everything else is the baseline's, its random RoIs
# included: cross-entropy over all, and L_combined over the positives and the hardest negatives among them.
_base_ = './faster_rcnn_r18_thermal.py'
model = dict(
    roi_head=dict(
        bbox_head=dict(
            type='CompositeBBoxHead',
            loss_composite=dict(type='CompositeLoss', warmup_iters=200, ramp_iters=200))))
