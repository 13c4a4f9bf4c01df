# Variants of the accuracy study on hituav160 (docs/results.md).
# python tools/study.py train configs/studies/hituav160.py --only focal composite --seeds 0 1 2

focal = '../retinanet/retina_focal_hituav160.py'
composite = '../retinanet/retina_composite_hituav160.py'
cross_entropy = '../faster_rcnn/faster_rcnn_ce_hituav160.py'
two_stages = '../faster_rcnn/faster_rcnn_composite_hituav160.py'
ranked_rpn = '../faster_rcnn/faster_rcnn_composite_rpn_hituav160.py'
loss = 'model.bbox_head.loss_composite'
roi_loss = 'model.roi_head.bbox_head.loss_composite'
roi_w_box = 'model.roi_head.bbox_head.loss_bbox.loss_weight'
roi_neg_ratio = 'model.roi_head.bbox_head.neg_ratio'
num_rois = 'model.train_cfg.rcnn.sampler.num'
miner = 'model.train_cfg.sampler'
lr = 'optim_wrapper.optimizer.lr'
w_box = 'model.bbox_head.loss_bbox.loss_weight'
alpha = 'model.bbox_head.loss_cls.alpha'
gamma = 'model.bbox_head.loss_cls.gamma'
combined = {  # the paper's soft F-beta in place of ranking
    f'{loss}.f1_form': 'soft',
    f'{loss}.warmup_iters': 200,
    f'{loss}.ramp_iters': 200,
}
small_joint_f1 = {**combined, f'{loss}.f1_negatives': 'joint', f'{loss}.f1_share': 0.2}
without_dense = {**combined, f'{loss}.w_dense': 0.0}
papers_mean = {f'{loss}.mean': 'paper', f'{loss}.f1_negatives': 'paper'}
# Classes alike: the mean count of the training set over that of persons, vehicles, bicycles.
class_weight = {f'{loss}.dense_class_weight': [0.62, 1.22, 1.76]}
ranking = {f'{loss}.f1_share': 1.0}  # the ranking loss alone in place of L_combined
ranked = {  # two stages: ranking in place of L_combined, all sampled negatives as rivals
    f'{roi_loss}.f1_form': 'ranked',
    f'{roi_loss}.f1_share': 1.0,
    f'{roi_loss}.w_cls': 0.3,
    f'{roi_loss}.warmup_iters': 0,
    f'{roi_loss}.ramp_iters': 100,
    roi_neg_ratio: 1e9,
}
sum_without_f1 = {f'{loss}.cls_negatives': 'joint', f'{loss}.f1_share': 0.0}

variants = {
    # the baseline, and what the same number of trials finds for it
    'focal': dict(config=focal),
    'focal_lr_1e-3': dict(config=focal, options={lr: 1e-3}),
    'focal_lr_4e-3': dict(config=focal, options={lr: 4e-3}),
    'focal_box_1': dict(config=focal, options={w_box: 1.0}),
    'focal_box_4': dict(config=focal, options={w_box: 4.0}),
    'focal_alpha_0.5': dict(config=focal, options={alpha: 0.5}),
    'focal_gamma_1.5': dict(config=focal, options={gamma: 1.5}),
    'focal_class_weight': dict(config=composite, options={**class_weight, f'{loss}.w_cls': 0.0}),
    # mmdet's other losses
    'ghm': dict(config='../retinanet/retina_ghm_hituav160.py'),
    'ohem': dict(config='../retinanet/retina_ohem_hituav160.py'),
    'gfl': dict(config='../gfl/gfl_qfl_hituav160.py'),
    'varifocal': dict(config='../vfnet/vfnet_varifocal_hituav160.py'),
    # the composite loss, and the ranking loss alone beside the dense term, with its weight
    'composite': dict(config=composite),
    'ranking': dict(config=composite, options={**ranking, f'{loss}.w_cls': 0.3}),
    'composite_paper': dict(config='../retinanet/retina_composite_paper_hituav160.py'),
    'composite_paper_eps': dict(
        config='../retinanet/retina_composite_paper_hituav160.py', options={f'{loss}.eps': 1e-6}),
    'composite_class_weight': dict(config=composite, options=class_weight),
    'sampled_dense': dict(config=composite, options={f'{loss}.dense_negatives': 20}),
    'half_dense': dict(config=composite, options={f'{loss}.w_dense': 0.5}),
    'ranking_0.1': dict(config=composite, options={**ranking, f'{loss}.w_cls': 0.1}),
    'ranking_1': dict(config=composite, options={**ranking, f'{loss}.w_cls': 1.0}),
    # the paper's L_combined beside the dense term, in place of ranking, and with it
    'combined': dict(config=composite, options=combined),
    'combined_half_dense': dict(config=composite, options={**combined, f'{loss}.w_dense': 0.5}),
    'combined_late': dict(
        config=composite,
        options={**combined, f'{loss}.warmup_iters': 600, f'{loss}.ramp_iters': 100},
    ),
    # the paper's loss and its parts, without ranking
    'paper_mean': dict(config=composite, options={**without_dense, **papers_mean}),
    'paper_mean_and_dense': dict(config=composite, options={**combined, **papers_mean}),
    'shifted': dict(config=composite, options=without_dense),
    'shifted_without_f1': dict(
        config=composite, options={**without_dense, f'{loss}.f1_share': 0.0}
    ),
    'mined_sum': dict(
        config=composite, options={**without_dense, **sum_without_f1, f'{loss}.alpha': 0.5}
    ),
    'simple': dict(
        config=composite,
        options={
            **without_dense,
            f'{loss}.mean': 'paper',
            f'{loss}.cls_negatives': 'joint',
            f'{loss}.f1_negatives': 'ignore',
        },
    ),
    'dense_and_sum': dict(config=composite, options={**combined, **sum_without_f1}),
    'without_f1': dict(config=composite, options={**combined, f'{loss}.f1_share': 0.0}),
    'f1_joint_share_0.2': dict(config=composite, options=small_joint_f1),
    'f1_macro_joint_share_0.2': dict(
        config=composite, options={**small_joint_f1, f'{loss}.f1_average': 'macro'}
    ),
    'without_mining': dict(config=composite, options={**combined, f'{miner}.ratio': 1e9}),
    # two stages
    'faster_rcnn_ce': dict(config=cross_entropy),
    'faster_rcnn_ohem': dict(config='../faster_rcnn/faster_rcnn_ohem_hituav160.py'),
    'faster_rcnn_composite': dict(config=two_stages),
    'faster_rcnn_ranked': dict(config=two_stages, options=ranked),
    'faster_rcnn_ce_box_0.5': dict(config=cross_entropy, options={roi_w_box: 0.5}),
    'faster_rcnn_ce_box_4': dict(config=cross_entropy, options={roi_w_box: 4.0}),
    'faster_rcnn_ce_64': dict(config=cross_entropy, options={num_rois: 64}),
    'faster_rcnn_composite_64': dict(config=two_stages, options={num_rois: 64, roi_neg_ratio: 1.5}),
    'faster_rcnn_ranked_64': dict(config=two_stages, options={**ranked, num_rois: 64}),
    'faster_rcnn_rpn_ranked': dict(config=ranked_rpn, options={'model.rpn_head.loss_composite.f1_form': 'ranked'}),
    'cascade_rcnn_ce': dict(config='../cascade_rcnn/cascade_rcnn_ce_hituav160.py'),
    'cascade_rcnn_composite': dict(config='../cascade_rcnn/cascade_rcnn_composite_hituav160.py'),
}
groups = {
    'main': ['focal', 'focal_class_weight', 'composite', 'ranking'],
    'trials_of_focal': [
        'focal_lr_1e-3', 'focal_lr_4e-3', 'focal_box_1', 'focal_box_4', 'focal_alpha_0.5',
        'focal_gamma_1.5'
    ],
    'other_losses': ['ghm', 'ohem', 'gfl', 'varifocal'],
    'two_stages': ['faster_rcnn_ce', 'faster_rcnn_ohem', 'faster_rcnn_composite', 'faster_rcnn_ranked'],
    'two_stages_beyond': ['faster_rcnn_rpn_ranked', 'cascade_rcnn_ce', 'cascade_rcnn_composite'],
}
