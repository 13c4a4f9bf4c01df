# RetinaNet with focal loss with class weights, 24 epochs with jitter, on windows of HIT-UAV.
_base_ = ['./retina_focal_24e_hituav160.py', '../_base_/losses/retina_focal_class_weight.py']
model = _base_.pop('loss_delta')
