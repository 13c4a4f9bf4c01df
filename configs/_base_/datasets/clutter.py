# Persons among warm clutter that looks like them, rare in the training scenes, common where the detector is used
# (docs/mining.md). The two sets:
#   M='python tools/make_synthetic.py --classes person --objects 2 --overlap 0.1 --clutter 8 --min-side 12 --supersample 2'
#   $M --out data/clutter_rare --clutter-share 0.1 --num-train 4000 --num-val 8 --num-test 8
#   $M --out data/clutter --num-train 8 --num-val 600 --num-test 8
_base_ = './thermal_detection.py'
data_root = 'data/clutter/'
num_classes = 1
train_dataloader = dict(dataset=dict(data_root='data/clutter_rare/'))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/val.json')
test_evaluator = val_evaluator
