# FCOS with the composite loss, on the embedded set; everything else is the baseline's.
_base_ = ['./fcos_focal_synthetic.py', '../_base_/losses/fcos_composite.py']
model = _base_.pop('loss_delta')
