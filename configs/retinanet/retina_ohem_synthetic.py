# RetinaNet with OHEM 1:3, on the embedded set.
_base_ = ['./retina_focal_synthetic.py', '../_base_/losses/retina_ohem.py']
model = _base_.pop('loss_delta')
