# Faster R-CNN with the composite loss in the RPN and the RoI head, on windows of HIT-UAV.
_base_ = ['./faster_rcnn_ce_hituav160.py', '../_base_/losses/faster_rcnn_composite_rpn.py']
model = _base_.pop('loss_delta')
