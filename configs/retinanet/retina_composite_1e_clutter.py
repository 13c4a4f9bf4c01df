# Rounds of mining of one epoch each among warm clutter (docs/mining.md); soft F-beta, quicker warm-ups.
_base_ = [
    '../_base_/models/retina_r18.py', '../_base_/losses/retina_composite.py', '../_base_/datasets/clutter.py',
    '../_base_/schedules/adamw_6e.py', '../_base_/default_runtime.py'
]
model = _base_.pop('loss_delta')
model.bbox_head.num_classes = _base_.num_classes
model.bbox_head.loss_composite.update(f1_form='soft', warmup_iters=50, ramp_iters=50)
train_cfg = dict(max_epochs=1, val_interval=1)
param_scheduler = [dict(_base_.param_scheduler[0], end=50), _base_.param_scheduler[1]]
