# The paper's formulas and sampler in the RoI head of Faster R-CNN: the hardest RoIs in place of random ones, and
# each of them in the loss.
_base_ = ['./faster_rcnn_composite.py', './paper.py']
loss_delta = dict(
    roi_head=dict(bbox_head=dict(loss_composite=_base_.pop('paper'), neg_ratio=1e9)),
    train_cfg=dict(
        rcnn=dict(
            sampler=dict(
                _delete_=True,
                type='HardNegativeSampler',
                num=64,
                pos_fraction=0.25,
                ratio=3.0,
                min_neg=16,
                random_share=0.5))))
