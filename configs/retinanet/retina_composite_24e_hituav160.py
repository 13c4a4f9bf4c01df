# RetinaNet with the composite loss, 24 epochs with jitter, on windows of HIT-UAV.
_base_ = ['./retina_focal_24e_hituav160.py', '../_base_/losses/retina_composite.py']
model = _base_.pop('loss_delta')
