# Faster R-CNN with mmdet's OHEM in the RoI head; everything else is the baseline's. It keeps
# the hardest fifth of the proposals, about mmdet's own share.
_base_ = './faster_rcnn_r18_thermal.py'
model = dict(train_cfg=dict(rcnn=dict(sampler=dict(type='OHEMSampler', num=64))))
