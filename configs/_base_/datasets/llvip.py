# LLVIP (Jia et al., ICCVW 2021), 1280 x 1024, at half the size; its test set is val here, tune nothing on it.
#   python tools/convert.py llvip /data/LLVIP data/llvip --copy
_base_ = './converted.py'
data_root = 'data/llvip/'
classes = ('person',)
num_classes = len(classes)
train_pipeline = [*_base_.train_pipeline[:3], dict(type='Resize', scale_factor=0.5), *_base_.train_pipeline[4:]]
test_pipeline = [*_base_.test_pipeline[:2], train_pipeline[3], *_base_.test_pipeline[3:]]
files = dict(data_root=data_root, metainfo=dict(classes=classes))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **files))
val_dataloader = dict(dataset=dict(ann_file='test.json', pipeline=test_pipeline, **files))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'test.json')
test_evaluator = val_evaluator
