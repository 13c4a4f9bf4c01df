# RetinaNet with focal loss with class weights, on windows of HIT-UAV.
_base_ = ['./retina_focal_hituav160.py', '../_base_/losses/retina_focal_class_weight.py']
model = _base_.pop('loss_delta')
