# RetinaNet with the composite loss, on windows of HIT-UAV; everything else is the baseline's.
_base_ = ['./retina_focal_hituav160.py', '../_base_/losses/retina_composite.py']
model = _base_.pop('loss_delta')
