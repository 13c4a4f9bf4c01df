# mmdet's RetinaNet R-50, 1x, on windows of HIT-UAV enlarged fourfold. For a GPU; weights: _base_/models/retina_r50.py.
_base_ = [
    '../_base_/models/retina_r50.py', '../_base_/datasets/hituav160_3channel.py',
    'mmdet::_base_/schedules/schedule_1x.py', '../_base_/default_runtime.py'
]
model = dict(bbox_head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(batch_size=16)
optim_wrapper = dict(optimizer=dict(lr=0.01))
