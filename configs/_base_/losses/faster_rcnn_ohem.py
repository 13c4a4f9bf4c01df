# mmdet's OHEM in the RoI head of Faster R-CNN. It keeps the hardest fifth of the proposals, about mmdet's own share.
loss_delta = dict(train_cfg=dict(rcnn=dict(sampler=dict(type='OHEMSampler', num=64))))
