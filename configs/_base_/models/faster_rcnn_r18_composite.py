# Faster R-CNN with the composite loss in the RoI head; everything else is the baseline's, its random RoIs
# included: cross-entropy over all, and ranking, in which every sampled RoI is a rival.
_base_ = './faster_rcnn_r18_thermal.py'
model = dict(
    roi_head=dict(
        bbox_head=dict(
            type='CompositeBBoxHead', loss_composite=dict(type='CompositeLoss', ramp_iters=100))))
