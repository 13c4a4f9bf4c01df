# One change at a time from the composite RetinaNet: python tools/ablate.py configs/ablations/retina.py
# The first entry is what the others are compared with. Loss settings are those of CompositeLoss.
base = '../thermal/retina_composite.py'
loss = 'model.bbox_head.loss_composite'
sampler = 'model.train_cfg.sampler'
# the paper's L_combined beside the dense term, without ranking
combined = {f'{loss}.w_cls': 1.0, f'{loss}.w_rank': 0.0, f'{loss}.warmup_iters': 200, f'{loss}.ramp_iters': 200}
variants = {
    'composite': {},
    # the terms: the dense focal term only, L_combined in place of ranking, both
    'focal_only': {f'{loss}.w_rank': 0.0},
    'combined': combined,
    'combined_and_ranking': {f'{loss}.w_cls': 1.0},
    'combined_without_dense': {**combined, f'{loss}.w_dense': 0.0},
    # ranking: how much, and what counts as a tie
    'w_rank_0.1': {f'{loss}.w_rank': 0.1},
    'w_rank_1': {f'{loss}.w_rank': 1.0},
    'rank_delta_0.5': {f'{loss}.rank_delta': 0.5},
    # the mean of the terms of L_combined
    'mean_paper': {**combined, f'{loss}.mean': 'paper'},
    'shift_0.01': {**combined, f'{loss}.shift': 0.01},
    'shift_1': {**combined, f'{loss}.shift': 1.0},
    'sum_of_pos_and_neg': {**combined, f'{loss}.cls_negatives': 'joint'},
    # F-beta: left out, recall against precision, what the negatives do in it
    'without_f1': {**combined, f'{loss}.f1_share': 0.0},
    'f1_share_0.2': {**combined, f'{loss}.f1_share': 0.2},
    'beta_0.5': {**combined, f'{loss}.beta': 0.5},
    'beta_2': {**combined, f'{loss}.beta': 2.0},
    'f1_joint': {**combined, f'{loss}.f1_negatives': 'joint'},
    'f1_paper': {**combined, f'{loss}.f1_negatives': 'paper'},
    'f1_positives_only': {**combined, f'{loss}.f1_negatives': 'ignore'},
    # mining: how many
    'ratio_1': {f'{sampler}.ratio': 1.0},
    'ratio_10': {f'{sampler}.ratio': 10.0},
    'min_neg_0': {f'{sampler}.min_neg': 0},
    'min_neg_64': {f'{sampler}.min_neg': 64},
}
