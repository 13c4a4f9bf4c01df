# What dense detectors share: backbone and neck, and what is kept of the predictions.
_base_ = './r18_fpn.py'
model = dict(
    test_cfg=dict(
        nms_pre=1000,
        min_bbox_size=0,
        score_thr=0.05,
        nms=dict(type='nms', iou_threshold=0.5),
        max_per_img=100))
