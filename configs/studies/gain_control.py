# Gain control where gain, offset and shading drift between training and test, on the embedded set (make data;
# docs/gain_control.md). Tests see drift, another for each frame and always the same for the same frame; the
# evaluations during training don't, so that a run's log has the figures without drift.
# python tools/study.py train configs/studies/gain_control.py --only main --seeds 0 --cfg-options train_cfg.max_epochs=6
_base_ = '../_base_/datasets/synthetic.py'
base = '../thermal/retina_composite.py'
drift = dict(type='RandomDrift', gain=0.3, offset=2.0, shading=1.0, seed=1)
grey = dict(type='Normalize', mean=[128.0], std=[64.0], to_rgb=False)  # of 0..255
window = dict(method='window', low=-15.0, high=45.0, scale=0.01, offset=-273.15)  # °C, of counts of 10 mK
channels = [dict(method='stretch'), dict(method='clahe'), dict(method='raw')]

# what stands between LoadThermalImage and LoadAnnotations
steps = {
    'frame': [dict(type='NormalizeFrame')],  # what the configs have
    'raw': [dict(type='Normalize', mean=[28800.0], std=[900.0], to_rgb=False)],
    'window': [dict(type='GainControl', **window), grey],
    'stretch': [dict(type='GainControl', method='stretch'), grey],
    'plateau': [dict(type='GainControl', method='plateau'), grey],
    'clahe': [dict(type='GainControl', method='clahe'), grey],
    'detail': [dict(type='GainControl', method='detail'), grey],
    'stacked': [dict(type='GainControl', channels=channels), dict(type='NormalizeFrame')],
}
train = _base_.train_pipeline
test = _base_.test_pipeline
three_channels = {
    'model.backbone.in_channels': 3,
    'model.data_preprocessor.mean': [0.0] * 3,
    'model.data_preprocessor.std': [1.0] * 3,
}
options = {
    name: {
        'train_dataloader.dataset.pipeline': [train[0], *step, *train[2:]],
        'val_dataloader.dataset.pipeline': [test[0], *step, *test[2:]],
        'test_dataloader.dataset.pipeline': [test[0], drift, *step, *test[2:]],
        **(three_channels if name == 'stacked' else {}),
    }
    for name, step in steps.items()
}
# drift in training in place of, or beside, a gain control
drifting = ['frame', 'raw', 'stacked']
options.update({
    f'{name}_trained_with_drift': {
        **options[name],
        'train_dataloader.dataset.pipeline': [train[0], dict(drift, seed=None), *steps[name], *train[2:]],
    }
    for name in drifting
})
variants = {f'gain_{name}': dict(options=changes) for name, changes in options.items()}
groups = {
    'main': [f'gain_{name}' for name in steps],
    'trained_with_drift': [f'gain_{name}_trained_with_drift' for name in drifting],
}
