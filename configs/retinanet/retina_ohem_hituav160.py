# RetinaNet with OHEM 1:3, on windows of HIT-UAV.
_base_ = ['./retina_focal_hituav160.py', '../_base_/losses/retina_ohem.py']
model = _base_.pop('loss_delta')
