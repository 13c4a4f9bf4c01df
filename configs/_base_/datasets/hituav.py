# HIT-UAV (Suo et al., Scientific Data 2023; CC BY 4.0), whole frames, 640 x 512. The publisher's split leaks
# (docs/split.md): tools/split.py makes one by sequences.
#   python tools/convert.py hituav /data/HIT-UAV data/hituav --copy
_base_ = './converted.py'
data_root = 'data/hituav/'
classes = ('Person', 'Car', 'Bicycle', 'OtherVehicle')
num_classes = len(classes)
files = dict(data_root=data_root, metainfo=dict(classes=classes))
train_dataloader = dict(dataset=files)
val_dataloader = dict(dataset=files)
test_dataloader = dict(dataset=files)
val_evaluator = dict(ann_file=data_root + 'val.json')
test_evaluator = dict(ann_file=data_root + 'test.json')
