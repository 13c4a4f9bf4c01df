# M3FD (Liu et al., CVPR 2022), infrared, 1024 x 768. It comes without a split (docs/split.md).
#   python tools/convert.py m3fd /data/M3FD data/m3fd --copy --classes People Car Bus Motorcycle Lamp Truck
#   python tools/split.py data/m3fd/all.json data/m3fd --by near-copies --img-dir data/m3fd/images
_base_ = './converted.py'
data_root = 'data/m3fd/'
classes = ('People', 'Car', 'Bus', 'Motorcycle', 'Lamp', 'Truck')
num_classes = len(classes)
files = dict(data_root=data_root, metainfo=dict(classes=classes))
train_dataloader = dict(dataset=files)
val_dataloader = dict(dataset=files)
test_dataloader = dict(dataset=files)
val_evaluator = dict(ann_file=data_root + 'val.json')
test_evaluator = dict(ann_file=data_root + 'test.json')
