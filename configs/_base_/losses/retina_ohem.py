# OHEM 1:3: binary cross-entropy of the positives and of three times as many hardest negatives, divided by the
# positives. The weight 2 undoes alpha = 0.5.
_base_ = './retina_composite.py'
loss_delta = dict(
    bbox_head=dict(
        loss_composite=dict(
            _delete_=True,
            type='CompositeLoss',
            cls_negatives='joint',
            f1_share=0.0,
            alpha=0.5,
            gamma=0.0,
            w_dense=0.0,
            w_cls=2.0)))
