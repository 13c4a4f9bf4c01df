# IPHD (Clapés et al., FG 2020), thermal: 16 bits of a FLIR Lepton 3, registered to the depth camera. Each frame has
# its own mean and deviation.
#   python tools/convert.py iphd /data/iphd data/iphd --copy
_base_ = './thermal_detection.py'
data_root = 'data/iphd/'
classes = ('person',)
num_classes = len(classes)
files = dict(data_root=data_root, data_prefix=dict(img='images/'), metainfo=dict(classes=classes))
train_dataloader = dict(dataset=dict(ann_file='train.json', **files))
val_dataloader = dict(dataset=dict(ann_file='val.json', **files))
test_dataloader = dict(dataset=dict(ann_file='test.json', **files))
val_evaluator = dict(ann_file=data_root + 'val.json')
test_evaluator = dict(ann_file=data_root + 'test.json')
