# What a split by frame adds to a figure (docs/split.md): both variants train on as many windows of HIT-UAV and are
# tested on the same half of its val windows; 'leak_frame' has seen the other half, frames of the same flights.
#   split=../shared/data/hituav160/annotations
#   python tools/split.py $split/val.json data/split_leak --by file_name --parts seen=1 unseen=1
#   python tools/split.py $split/train.json data/split_leak --by file_name --parts kept=2003 left=288
#   python tools/study.py train configs/studies/split_leak.py --seeds 0 1
_base_ = '../_base_/datasets/hituav160.py'
base = '../retinanet/retina_composite_hituav160.py'
windows, dealt = '../shared/data/hituav160/', 'data/split_leak/'
tested = dict(data_root='', ann_file=f'{dealt}unseen.json', data_prefix=dict(img=f'{windows}val/'))
kept, left, seen = (
    dict(
        _base_.train_dataloader.dataset,
        data_root='',
        ann_file=f'{dealt}{part}.json',
        data_prefix=dict(img=f'{windows}{folder}/'),
    )
    for part, folder in [('kept', 'train'), ('left', 'train'), ('seen', 'val')]
)
variants = {
    name: dict(
        options={
            'train_dataloader.dataset': dict(_delete_=True, type='ConcatDataset', datasets=parts),
            'val_dataloader.dataset': tested,
            'test_dataloader.dataset': tested,
            'val_evaluator.ann_file': tested['ann_file'],
            'test_evaluator.ann_file': tested['ann_file'],
        }
    )
    for name, parts in {'leak_block': [kept, left], 'leak_frame': [kept, seen]}.items()
}
groups = {'main': ['leak_block', 'leak_frame']}
