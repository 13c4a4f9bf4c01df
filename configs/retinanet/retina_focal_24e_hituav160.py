# RetinaNet with focal and L1 loss, the baseline, 24 epochs with jitter, on windows of HIT-UAV, with a
# moving average of the weights, which is what is validated and saved.
_base_ = [
    '../_base_/models/retina_r18.py', '../_base_/datasets/hituav160_jitter.py',
    '../_base_/schedules/adamw_24e.py', '../_base_/default_runtime.py'
]
model = dict(bbox_head=dict(num_classes=_base_.num_classes))
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.002, update_buffers=True, priority=49)
]
