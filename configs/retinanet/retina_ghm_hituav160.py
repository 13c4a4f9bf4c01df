# RetinaNet with the gradient harmonizing losses, on windows of HIT-UAV.
_base_ = ['./retina_focal_hituav160.py', '../_base_/losses/retina_ghm.py']
model = _base_.pop('loss_delta')
