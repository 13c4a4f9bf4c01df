# The recipe that people would use: 24 epochs with jitter and averaged weights, on windows of HIT-UAV (docs/results.md).
# python tools/study.py train configs/studies/hituav160_24e.py --only main --seeds 0 1 2 3 4
_base_ = '../retinanet/retina_focal_24e_hituav160.py'
focal = '../retinanet/retina_focal_24e_hituav160.py'
composite = '../retinanet/retina_composite_24e_hituav160.py'
paper = '../retinanet/retina_composite_paper_24e_hituav160.py'
loss = 'model.bbox_head.loss_composite'
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
plain = {  # the learning rate of six epochs, and the last weights as they are
    'optim_wrapper.optimizer.lr': 2e-3,
    'custom_hooks': [hook for hook in _base_.custom_hooks if hook['type'] != 'EMAHook'],
}
variants = {
    'focal': dict(config=focal),
    'focal_class_weight': dict(config='../retinanet/retina_focal_class_weight_24e_hituav160.py'),
    'composite': dict(config=composite),
    'composite_paper': dict(config=paper),
    # the paper's formulas of classification, and the box term of the default
    'composite_paper_l1': dict(config=paper, options={f'{loss}.box_form': 'smooth_l1', f'{loss}.delta': 0.0}),
    # the weights of retina_focal_class_weight_24e_hituav160.py in the dense term, beside L_combined
    'composite_class_weight': dict(
        config=composite, options={f'{loss}.dense_class_weight': [0.62, 1.22, 1.76]}
    ),
    'focal_plain': dict(config=focal, options=plain),
    'composite_plain': dict(config=composite, options=plain),
    'composite_copies': dict(config=composite, options=copies),
}
groups = {
    'main': ['focal', 'focal_class_weight', 'composite', 'composite_paper'],
    'plain': ['focal_plain', 'composite_plain'],
}
