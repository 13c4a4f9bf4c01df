# Faster R-CNN with mmdet's OHEM in the RoI head, on the embedded set.
_base_ = ['./faster_rcnn_ce_synthetic.py', '../_base_/losses/faster_rcnn_ohem.py']
model = _base_.pop('loss_delta')
