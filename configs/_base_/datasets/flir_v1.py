# FLIR ADAS v1 (free of charge, FLIR's terms), 640 x 512; its few dogs and other vehicles are left out.
#   python tools/convert.py flir-v1 /data/FLIR_ADAS_1_3 data/flir_v1 --copy --classes person bicycle car
_base_ = './converted.py'
data_root = 'data/flir_v1/'
classes = ('person', 'bicycle', 'car')
num_classes = len(classes)
files = dict(data_root=data_root, metainfo=dict(classes=classes))
train_dataloader = dict(dataset=files)
val_dataloader = dict(dataset=files)
test_dataloader = dict(dataset=files)
val_evaluator = dict(ann_file=data_root + 'val.json')
test_evaluator = dict(ann_file=data_root + 'test.json')
