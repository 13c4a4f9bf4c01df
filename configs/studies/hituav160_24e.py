# The recipe that people would use: 24 epochs with jitter, on windows of HIT-UAV (docs/results.md).
# python tools/study.py train configs/studies/hituav160_24e.py --seeds 0 1 2 3 4
variants = {
    'focal': dict(config='../retinanet/retina_focal_24e_hituav160.py'),
    'focal_class_weight': dict(config='../retinanet/retina_focal_class_weight_24e_hituav160.py'),
    'composite': dict(config='../retinanet/retina_composite_24e_hituav160.py'),
    'composite_paper': dict(config='../retinanet/retina_composite_paper_24e_hituav160.py'),
}
groups = {'main': ['focal', 'focal_class_weight', 'composite', 'composite_paper']}
