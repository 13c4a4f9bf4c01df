# As adamw_6e.py, 24 epochs, for the data sets with jitter; evaluated six times.
_base_ = './adamw_6e.py'
train_cfg = dict(max_epochs=24, val_interval=4)
