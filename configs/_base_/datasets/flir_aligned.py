# FLIR-aligned (Zhang et al., ICIP 2020), 640 x 512; its validation set is its test set, tune nothing on it.
#   python tools/convert.py flir-aligned /data/align data/flir_aligned --copy --classes person bicycle car
_base_ = './converted.py'
data_root = 'data/flir_aligned/'
classes = ('person', 'bicycle', 'car')
num_classes = len(classes)
files = dict(data_root=data_root, metainfo=dict(classes=classes))
train_dataloader = dict(dataset=files)
val_dataloader = dict(dataset=dict(ann_file='val.json', **files))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'val.json')
test_evaluator = val_evaluator
