# 160 x 128 windows of HIT-UAV (Suo et al., Scientific Data 2023; CC BY 4.0), split by flight block.
_base_ = './thermal_detection.py'
data_root = '../shared/data/hituav160/'
num_classes = 3
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/val.json')
test_evaluator = val_evaluator
