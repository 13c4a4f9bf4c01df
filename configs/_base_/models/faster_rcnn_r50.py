# mmdet's Faster R-CNN R-50 for images that the pipeline has normalised; weights as in retina_r50.py.
# Other than mmdet's, RoIs on crowd and ignored regions are no background, so that they are not mined.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'
model = dict(
    data_preprocessor=dict(mean=[0.0] * 3, std=[1.0] * 3, bgr_to_rgb=False),
    train_cfg=dict(rcnn=dict(assigner=dict(type='IgnoreAwareMaxIoUAssigner', ignore_iof_thr=0.5))))
