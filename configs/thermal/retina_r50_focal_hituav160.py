# mmdet's RetinaNet R-50, 1x, on one-channel images enlarged fourfold. For a GPU.
_base_ = [
    'mmdet::_base_/models/retinanet_r50_fpn.py', '../_base_/datasets/hituav160_3channel.py',
    'mmdet::_base_/schedules/schedule_1x.py', '../_base_/default_runtime.py'
]
model = dict(
    data_preprocessor=dict(mean=[0.0] * 3, std=[1.0] * 3, bgr_to_rgb=False),
    bbox_head=dict(num_classes=3))
train_dataloader = dict(batch_size=16)
optim_wrapper = dict(optimizer=dict(lr=0.01))
