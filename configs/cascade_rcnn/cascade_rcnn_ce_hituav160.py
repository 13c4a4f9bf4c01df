# Cascade R-CNN with cross-entropy and random sampling, the baseline, on windows of HIT-UAV.
_base_ = [
    '../_base_/models/cascade_rcnn_r18.py', '../_base_/datasets/hituav160.py',
    '../_base_/schedules/adamw_6e.py', '../_base_/default_runtime.py'
]
# The assigner of the results in docs/results.md, as in faster_rcnn_ce_hituav160.py.
model = dict(
    roi_head=dict(bbox_head=[
        dict(head, num_classes=_base_.num_classes) for head in _base_.model.roi_head.bbox_head
    ]),
    train_cfg=dict(rpn=dict(assigner=dict(type='MaxIoUAssigner')), rcnn=[
        dict(stage, assigner=dict(stage.assigner, type='MaxIoUAssigner'))
        for stage in _base_.model.train_cfg.rcnn
    ]))
