# Variants of the accuracy study on the embedded data set (make data; docs/results.md).
# python tools/study.py train configs/studies/embedded.py --seeds 0 1 2
composite = '../thermal/retina_composite.py'
loss = 'model.bbox_head.loss_composite'
class_weight = [0.43, 2.03, 1.69, 1.65]
ranking = {f'{loss}.f1_share': 1.0, f'{loss}.w_cls': 0.3}
# the paper's soft F-beta in place of ranking
combined = {f'{loss}.f1_form': 'soft', f'{loss}.warmup_iters': 200, f'{loss}.ramp_iters': 200}

variants = {
    'embedded_focal': dict(config='../retinanet/retina_focal_synthetic.py'),
    'embedded_focal_class_weight': dict(
        config=composite,
        options={f'{loss}.dense_class_weight': class_weight, f'{loss}.w_cls': 0.0},
    ),
    'embedded_composite': dict(config=composite),
    'embedded_ranking': dict(config=composite, options=ranking),
    'embedded_combined': dict(config=composite, options=combined),
    # trained where overlap is rarer, tested on the same scenes:
    #   python tools/make_synthetic.py --out data/less_overlap --overlap 0.1
    'embedded_less_overlap': dict(
        config=composite, options={'train_dataloader.dataset.data_root': 'data/less_overlap/'}
    ),
}
groups = {'main': ['embedded_focal', 'embedded_composite', 'embedded_ranking']}
