# KAIST (Hwang et al., CVPR 2015), thermal, 640 x 512; its test set is val here, tune nothing on it.
#   python tools/convert.py kaist /data/kaist-cvpr15 data/kaist --copy --classes person --ignore cyclist people person?
_base_ = './converted.py'
data_root = 'data/kaist/'
classes = ('person',)
num_classes = len(classes)
files = dict(data_root=data_root, metainfo=dict(classes=classes))
train_dataloader = dict(dataset=files)
val_dataloader = dict(dataset=dict(ann_file='test.json', **files))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'test.json')
test_evaluator = val_evaluator
