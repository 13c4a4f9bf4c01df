# RetinaNet with the composite loss, on LLVIP (docs/data_sets.md).
_base_ = [
    '../_base_/models/retina_r18_five_levels.py',
    '../_base_/losses/retina_composite.py',
    '../_base_/datasets/llvip.py',
    '../_base_/schedules/adamw_12e.py',
    '../_base_/default_runtime.py',
]
model = _base_.pop('loss_delta')
model.bbox_head.num_classes = _base_.num_classes
model.bbox_head.anchor_generator = dict(ratios=[1.0, 2.0, 3.0])  # height over width: persons
