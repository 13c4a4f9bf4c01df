# Cascade R-CNN with the composite loss in every stage, on real data.
_base_ = [
    '../_base_/models/cascade_rcnn_r18_thermal.py', '../_base_/datasets/hituav160.py',
    '../_base_/schedules/adamw_6e.py', '../_base_/default_runtime.py'
]
model = dict(
    roi_head=dict(bbox_head=[
        dict(
            type='CompositeBBoxHead',
            loss_composite=dict(type='CompositeLoss', warmup_iters=200, ramp_iters=200),
            num_classes={{_base_.num_classes}},
            in_channels=64,
            fc_out_channels=256,
            reg_class_agnostic=True,
            bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_stds=stds))
        for stds in ([0.1, 0.1, 0.2, 0.2], [0.05, 0.05, 0.1, 0.1], [0.033, 0.033, 0.067, 0.067])
    ]))
