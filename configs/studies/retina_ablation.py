# One change at a time from the composite RetinaNet:
# python tools/study.py compare configs/studies/retina_ablation.py --seeds 0 1 2
# The first entry is what the others are compared with. Loss settings are those of CompositeLoss.
base = '../thermal/retina_composite.py'
loss = 'model.bbox_head.loss_composite'
sampler = 'model.train_cfg.sampler'
# the paper's soft F-beta in place of the ranked F term
soft = {f'{loss}.f1_form': 'soft', f'{loss}.warmup_iters': 200, f'{loss}.ramp_iters': 200}
variants = {
    'composite': {},
    # the terms: the dense focal term only, the ranking loss alone, L_combined alone
    'focal_only': dict(options={f'{loss}.w_cls': 0.0}),
    'ranking_only': dict(options={f'{loss}.w_cls': 0.3, f'{loss}.f1_share': 1.0}),
    'without_dense': dict(options={f'{loss}.w_dense': 0.0, f'{loss}.warmup_iters': 200, f'{loss}.ramp_iters': 200}),
    # how much L_combined weighs, how much the F term in it, and what counts as a tie in a ranking
    'w_cls_0.5': dict(options={f'{loss}.w_cls': 0.5}),
    'w_cls_2': dict(options={f'{loss}.w_cls': 2.0}),
    'without_f1': dict(options={f'{loss}.f1_share': 0.0}),
    'f1_share_0.2': dict(options={f'{loss}.f1_share': 0.2}),
    'rank_delta_0.5': dict(options={f'{loss}.rank_delta': 0.5}),
    # the mean of the terms
    'mean_paper': dict(options={f'{loss}.mean': 'paper'}),
    'shift_0.01': dict(options={f'{loss}.shift': 0.01}),
    'shift_1': dict(options={f'{loss}.shift': 1.0}),
    'sum_of_pos_and_neg': dict(options={f'{loss}.cls_negatives': 'joint'}),
    # soft F-beta: recall against precision, what the negatives do in it
    'soft': dict(options=soft),
    'beta_0.5': dict(options={**soft, f'{loss}.beta': 0.5}),
    'beta_2': dict(options={**soft, f'{loss}.beta': 2.0}),
    'f1_joint': dict(options={**soft, f'{loss}.f1_negatives': 'joint'}),
    'f1_paper': dict(options={**soft, f'{loss}.f1_negatives': 'paper'}),
    'f1_positives_only': dict(options={**soft, f'{loss}.f1_negatives': 'ignore'}),
    # mining: how many
    'without_mining': dict(options={f'{sampler}.ratio': 1e9}),
    'ratio_1': dict(options={f'{sampler}.ratio': 1.0}),
    'ratio_10': dict(options={f'{sampler}.ratio': 10.0}),
    'min_neg_0': dict(options={f'{sampler}.min_neg': 0}),
    'min_neg_64': dict(options={f'{sampler}.min_neg': 64}),
}
groups = {
    'terms': ['focal_only', 'ranking_only', 'without_dense', 'without_f1'],
    'weights': ['w_cls_0.5', 'w_cls_2', 'f1_share_0.2', 'rank_delta_0.5'],
    'mean': ['mean_paper', 'shift_0.01', 'shift_1', 'sum_of_pos_and_neg'],
    'soft_f1': ['soft', 'beta_0.5', 'beta_2', 'f1_joint', 'f1_paper', 'f1_positives_only'],
    'mining': ['without_mining', 'ratio_1', 'ratio_10', 'min_neg_0', 'min_neg_64'],
}
