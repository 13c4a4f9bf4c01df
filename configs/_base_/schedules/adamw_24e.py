# As adamw_6e.py, 24 epochs at half the learning rate, for the data sets with jitter; evaluated six times.
_base_ = './adamw_6e.py'
train_cfg = dict(max_epochs=24, val_interval=4)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
