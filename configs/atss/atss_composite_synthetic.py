# ATSS with the composite loss, on the embedded set; everything else is the baseline's.
_base_ = ['./atss_focal_synthetic.py', '../_base_/losses/atss_composite.py']
model = _base_.pop('loss_delta')
