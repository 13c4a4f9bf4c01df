# Faster R-CNN with mmdet's OHEM in the RoI head, on windows of HIT-UAV.
_base_ = ['./faster_rcnn_ce_hituav160.py', '../_base_/losses/faster_rcnn_ohem.py']
model = _base_.pop('loss_delta')
