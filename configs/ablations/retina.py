# One change at a time from the composite RetinaNet: python tools/ablate.py configs/ablations/retina.py
# The first entry is what the others are compared with. Loss settings are those of CompositeLoss.
base = '../thermal/retina_composite.py'
loss = 'model.bbox_head.loss_composite'
sampler = 'model.train_cfg.sampler'
variants = {
    'composite': {},
    # the mean of the terms
    'mean_paper': {f'{loss}.mean': 'paper'},
    'shift_0.01': {f'{loss}.shift': 0.01},
    'shift_1': {f'{loss}.shift': 1.0},
    'sum_of_pos_and_neg': {f'{loss}.cls_negatives': 'joint'},
    # F-beta: left out, recall against precision, what the negatives do in it
    'without_f1': {f'{loss}.f1_share': 0.0},
    'f1_share_0.2': {f'{loss}.f1_share': 0.2},
    'beta_0.5': {f'{loss}.beta': 0.5},
    'beta_2': {f'{loss}.beta': 2.0},
    'f1_joint': {f'{loss}.f1_negatives': 'joint'},
    'f1_paper': {f'{loss}.f1_negatives': 'paper'},
    'f1_positives_only': {f'{loss}.f1_negatives': 'ignore'},
    # mining: how many, and all of them instead
    'ratio_1': {f'{sampler}.ratio': 1.0},
    'ratio_10': {f'{sampler}.ratio': 10.0},
    'min_neg_0': {f'{sampler}.min_neg': 0},
    'min_neg_64': {f'{sampler}.min_neg': 64},
    'without_mining': {f'{sampler}.ratio': 1e9},
    # the terms: mined only, without ranking, ranking only beside the dense term, the dense focal term only
    'without_dense': {f'{loss}.w_dense': 0.0},
    'without_ranking': {f'{loss}.w_rank': 0.0},
    'dense_and_ranking': {f'{loss}.w_cls': 0.0},
    'focal_only': {f'{loss}.w_cls': 0.0, f'{loss}.w_rank': 0.0},
}
