# Faster R-CNN with the paper's formulas and sampler in the RoI head, on the embedded set.
_base_ = ['./faster_rcnn_ce_synthetic.py', '../_base_/losses/faster_rcnn_composite_paper.py']
model = _base_.pop('loss_delta')
