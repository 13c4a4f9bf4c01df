# One change at a time from the composite RetinaNet: python tools/ablate.py configs/ablations/retina.py
# The first entry is what the others are compared with. Loss settings are those of CompositeLoss.
base = '../thermal/retina_composite.py'
loss = 'model.bbox_head.loss_composite'
sampler = 'model.train_cfg.sampler'
# the paper's soft F-beta in place of the ranked F term
soft = {f'{loss}.f1_form': 'soft', f'{loss}.warmup_iters': 200, f'{loss}.ramp_iters': 200}
variants = {
    'composite': {},
    # the terms: the dense focal term only, the ranking loss alone, L_combined alone
    'focal_only': {f'{loss}.w_cls': 0.0},
    'ranking_only': {f'{loss}.w_cls': 0.3, f'{loss}.f1_share': 1.0},
    'without_dense': {f'{loss}.w_dense': 0.0, f'{loss}.warmup_iters': 200, f'{loss}.ramp_iters': 200},
    # how much L_combined weighs, how much the F term in it, and what counts as a tie in a ranking
    'w_cls_0.5': {f'{loss}.w_cls': 0.5},
    'w_cls_2': {f'{loss}.w_cls': 2.0},
    'without_f1': {f'{loss}.f1_share': 0.0},
    'f1_share_0.2': {f'{loss}.f1_share': 0.2},
    'rank_delta_0.5': {f'{loss}.rank_delta': 0.5},
    # the mean of the terms
    'mean_paper': {f'{loss}.mean': 'paper'},
    'shift_0.01': {f'{loss}.shift': 0.01},
    'shift_1': {f'{loss}.shift': 1.0},
    'sum_of_pos_and_neg': {f'{loss}.cls_negatives': 'joint'},
    # soft F-beta: recall against precision, what the negatives do in it
    'soft': soft,
    'beta_0.5': {**soft, f'{loss}.beta': 0.5},
    'beta_2': {**soft, f'{loss}.beta': 2.0},
    'f1_joint': {**soft, f'{loss}.f1_negatives': 'joint'},
    'f1_paper': {**soft, f'{loss}.f1_negatives': 'paper'},
    'f1_positives_only': {**soft, f'{loss}.f1_negatives': 'ignore'},
    # mining: how many
    'without_mining': {f'{sampler}.ratio': 1e9},
    'ratio_1': {f'{sampler}.ratio': 1.0},
    'ratio_10': {f'{sampler}.ratio': 10.0},
    'min_neg_0': {f'{sampler}.min_neg': 0},
    'min_neg_64': {f'{sampler}.min_neg': 64},
}
