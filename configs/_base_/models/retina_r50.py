# mmdet's RetinaNet R-50 for images that the pipeline has normalised. Its backbone starts from mmdet's ImageNet
# weights, which are downloaded, or from a file: --cfg-options model.backbone.init_cfg.checkpoint=resnet50.pth
_base_ = 'mmdet::_base_/models/retinanet_r50_fpn.py'
model = dict(data_preprocessor=dict(mean=[0.0] * 3, std=[1.0] * 3, bgr_to_rgb=False))
