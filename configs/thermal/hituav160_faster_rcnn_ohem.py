# mmdet's OHEM in the RoI head; everything else is the baseline's.
_base_ = './hituav160_faster_rcnn_ce.py'
model = dict(train_cfg=dict(rcnn=dict(sampler=dict(type='OHEMSampler'))))
