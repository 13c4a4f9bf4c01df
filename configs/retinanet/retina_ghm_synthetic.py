# RetinaNet with the gradient harmonizing losses, on the embedded set.
_base_ = ['./retina_focal_synthetic.py', '../_base_/losses/retina_ghm.py']
model = _base_.pop('loss_delta')
