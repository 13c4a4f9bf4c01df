# FLIR ADAS v2 (free of charge, FLIR's terms), 640 x 512; nine of its classes: change classes and num_classes for others.
#   python tools/convert.py flir-v2 /data/FLIR_ADAS_v2 data/flir_v2 --copy \
#       --classes person bike car motor bus truck light hydrant sign
_base_ = './converted.py'
data_root = 'data/flir_v2/'
classes = ('person', 'bike', 'car', 'motor', 'bus', 'truck', 'light', 'hydrant', 'sign')
num_classes = len(classes)
files = dict(data_root=data_root, metainfo=dict(classes=classes))
train_dataloader = dict(dataset=files)
val_dataloader = dict(dataset=files)
test_dataloader = dict(dataset=files)
val_evaluator = dict(ann_file=data_root + 'val.json')
test_evaluator = dict(ann_file=data_root + 'test.json')
