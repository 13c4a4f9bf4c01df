# RetinaNet's body with mmdet's varifocal loss (VFNet), on the embedded set.
_base_ = [
    '../_base_/models/retina_r18_varifocal.py', '../_base_/datasets/synthetic.py',
    '../_base_/schedules/adamw_12e.py', '../_base_/default_runtime.py'
]
model = dict(bbox_head=dict(num_classes={{_base_.num_classes}}))
# float32: mmcv's deformable convolution has no bfloat16 kernel for the CPU
optim_wrapper = dict(enabled=False)
