# Faster R-CNN with the composite loss in the RoI head, on the embedded set.
_base_ = ['./faster_rcnn_ce_synthetic.py', '../_base_/losses/faster_rcnn_composite.py']
model = _base_.pop('loss_delta')
