# What a split by frame adds to a figure (docs/split.md): both variants train on as many windows of HIT-UAV and are
# tested on the same half of its val windows; 'leak_frame' has seen the other half, frames of the same flights.
#   split=../shared/data/hituav160/annotations
#   python tools/split.py $split/val.json data/split_leak --by file_name --parts seen=1 unseen=1
#   python tools/split.py $split/train.json data/split_leak --by file_name --parts kept=2003 left=288
#   python tools/study.py train configs/studies/split_leak.py --seeds 0 1 2
from pathlib import Path

_base_ = '../_base_/datasets/hituav160.py'
base = '../retinanet/retina_composite_hituav160.py'
here = str(Path('data/split_leak').resolve()) + '/'
seen, unseen, kept, left = (f'{here}{part}.json' for part in ('seen', 'unseen', 'kept', 'left'))


def windows(ann_file, folder):
    return dict(_base_.train_dataloader.dataset, ann_file=ann_file, data_prefix=dict(img=folder))


def trained_on(*parts):
    return {
        'train_dataloader.dataset': dict(type='ConcatDataset', datasets=list(parts)),
        'val_dataloader.dataset.ann_file': unseen,
        'test_dataloader.dataset.ann_file': unseen,
        'val_evaluator.ann_file': unseen,
        'test_evaluator.ann_file': unseen,
    }


variants = {
    'leak_block': dict(options=trained_on(windows(kept, 'train/'), windows(left, 'train/'))),
    'leak_frame': dict(options=trained_on(windows(kept, 'train/'), windows(seen, 'val/'))),
}
groups = {'main': ['leak_block', 'leak_frame']}
