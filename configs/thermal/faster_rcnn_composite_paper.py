# The paper's loss and sampler in the RoI head of Faster R-CNN, on the embedded set: its combination in full
# weight, the hardest RoIs in place of random ones. From scratch it costs accuracy (docs/results.md).
_base_ = './faster_rcnn_composite.py'
model = dict(
    roi_head=dict(
        bbox_head=dict(
            loss_composite=dict(w_cls=1.0, f1_share=0.5, f1_negatives='background'), neg_ratio=1e9)),
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
