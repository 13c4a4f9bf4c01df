# HIT-UAV's windows dealt anew, flight by flight: three more val sets without an image in common, each with the rest of
# the windows for training (docs/results.md).
#   python tools/split.py ../shared/data/hituav160/annotations/train.json data/redealt --by block \
#       --parts val1=1 val2=1 val3=1 rest=1
#   python tools/study.py train configs/studies/redealt.py
_base_ = '../_base_/datasets/hituav160.py'
windows, dealt = '../shared/data/hituav160/', 'data/redealt/'
files = {part: (f'{dealt}{part}.json', 'train') for part in ('val1', 'val2', 'val3', 'rest')}
files['val'] = (f'{windows}annotations/val.json', 'val')
places = {
    part: dict(data_root='', ann_file=ann_file, data_prefix=dict(img=f'{windows}{folder}/'))
    for part, (ann_file, folder) in files.items()
}
splits = {}
for part in ('val1', 'val2', 'val3'):
    tested = places[part]
    others = [dict(_base_.train_dataloader.dataset, **places[other]) for other in places if other != part]
    splits[part] = {
        'train_dataloader.dataset': dict(_delete_=True, type='ConcatDataset', datasets=others),
        'val_dataloader.dataset': tested,
        'test_dataloader.dataset': tested,
        'val_evaluator.ann_file': tested['ann_file'],
        'test_evaluator.ann_file': tested['ann_file'],
    }
variants = {
    f'{loss}_{part}': dict(config=f'../retinanet/retina_{loss}_hituav160.py', options=options)
    for part, options in splits.items()
    for loss in ('focal', 'composite')
}
groups = {'main': list(variants)}
