# Rounds of mining on windows of HIT-UAV, half a training each (docs/mining.md).
_base_ = './retina_composite_hituav160.py'
train_cfg = dict(max_epochs=3, val_interval=3)
