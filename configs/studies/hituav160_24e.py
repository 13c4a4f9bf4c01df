# The recipe that people would use: 24 epochs with jitter, on windows of HIT-UAV (docs/results.md).
# python tools/study.py train configs/studies/hituav160_24e.py --only main --seeds 0 1 2 3 4
_base_ = ['../_base_/datasets/hituav160_jitter.py', '../_base_/default_runtime.py']
focal = '../retinanet/retina_focal_24e_hituav160.py'
composite = '../retinanet/retina_composite_24e_hituav160.py'
jittered = _base_.train_pipeline
copies = {  # copies over other objects, none in the last third of the epochs
    'train_dataloader.dataset.pipeline': [
        *jittered[:3], dict(type='OverlapCopyPaste', prob=0.3), *jittered[3:]
    ],
    'custom_hooks': [
        *_base_.custom_hooks,
        dict(type='PipelineSwitchHook', switch_epoch=16, switch_pipeline=jittered),
    ],
}
averaged = {  # half the learning rate, and a moving average of the weights, which is what is tested
    'optim_wrapper.optimizer.lr': 1e-3,
    'custom_hooks': [
        *_base_.custom_hooks,
        dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.002, update_buffers=True, priority=49),
    ],
}
variants = {
    'focal': dict(config=focal),
    'focal_class_weight': dict(config='../retinanet/retina_focal_class_weight_24e_hituav160.py'),
    'composite': dict(config=composite),
    'composite_paper': dict(config='../retinanet/retina_composite_paper_24e_hituav160.py'),
    'focal_averaged': dict(config=focal, options=averaged),
    'composite_averaged': dict(config=composite, options=averaged),
    'composite_copies': dict(config=composite, options=copies),
}
groups = {
    'main': ['focal', 'focal_class_weight', 'composite', 'composite_paper'],
    'averaged': ['focal_averaged', 'composite_averaged'],
}
