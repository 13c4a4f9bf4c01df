# mmdet's Faster R-CNN R-50, 1x, on windows of HIT-UAV enlarged fourfold. For a GPU; weights: _base_/models/retina_r50.py.
_base_ = [
    '../_base_/models/faster_rcnn_r50.py', '../_base_/datasets/hituav160_3channel.py',
    'mmdet::_base_/schedules/schedule_1x.py', '../_base_/default_runtime.py'
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=_base_.num_classes)))
train_dataloader = dict(batch_size=16)
