# The paper's formulas in RetinaNet's head; the weight of the box term is the baseline's.
_base_ = ['./retina_composite.py', './paper.py']
loss_delta = dict(bbox_head=dict(loss_composite=dict(w_box=2.0, **_base_.pop('paper'))))
