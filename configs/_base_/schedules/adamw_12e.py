# As adamw_6e.py, 12 epochs.
_base_ = './adamw_6e.py'
train_cfg = dict(max_epochs=12)
