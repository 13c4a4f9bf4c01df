# What every config shares: imports, hooks, logging.
custom_imports = dict(imports=['mmthermal'], allow_failed_imports=False)
default_scope = 'mmdet'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='SafeCheckpointHook', interval=1, max_keep_ckpts=2, save_best='coco/bbox_mAP', rule='greater'),
    checkpoint_check=dict(type='CheckpointCheckHook'),  # min_fit: share of the weights that load_from must bring
    repeatable=dict(type='RepeatableHook'),  # a resumed training equals one without a stop
    finite_check=dict(type='FiniteCheckHook'),  # stops at NaN and infinities
    channels_last=dict(type='ChannelsLastHook'),  # faster in bfloat16 on a CPU, the same up to rounding
    agreement=dict(type='AgreementHook'),  # classes and images of the parts of a run (docs/faults.md)
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='ThermalVisualizationHook', draw=True, test_out_dir='pictures'))
custom_hooks = [dict(type='NumClassCheckHook')]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))
# For TensorBoard: --cfg-options "visualizer.vis_backends=[{'type':'LocalVisBackend'},{'type':'TensorboardVisBackend'}]"
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='DetLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
randomness = dict(seed=0)

log_level = 'INFO'
load_from = None
resume = False
