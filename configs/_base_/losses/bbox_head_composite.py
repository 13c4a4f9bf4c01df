# The composite loss in an RoI head, random RoIs included: cross-entropy over all, and L_combined over the positives
# and the hardest negatives among them.
bbox_head_delta = dict(
    type='CompositeBBoxHead',
    loss_composite=dict(type='CompositeLoss', warmup_iters=200, ramp_iters=200))
