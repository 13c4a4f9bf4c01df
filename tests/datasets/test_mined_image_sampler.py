"""Images with many regions are drawn more often; the pipeline tells where pixels go."""

from collections import Counter

import pytest
import torch
from helpers_data import tiny_config, write_coco
from mmdet.registry import DATASETS
from mmengine.dataset import DefaultSampler, RepeatDataset
from mmengine.registry import init_default_scope

from mmthermal.datasets.mined_image_sampler import (
    MinedImageSampler,
    pack_geometry,
    region_sums,
    systematic_draw,
)


def draw(weights, number, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return systematic_draw(torch.tensor(weights), number, generator).tolist()


def test_equal_weights_give_each_index_once():
    for seed in range(20):
        assert sorted(draw([2.0] * 11, 11, seed)) == list(range(11))


def test_counts_are_the_floor_or_the_ceiling_of_what_is_expected():
    weights = [1.0, 3.0, 1.0, 2.5, 0.0, 1.0]
    expected = [10 * w / 8.5 for w in weights]
    totals = Counter()
    for seed in range(300):
        counts = Counter(draw(weights, 10, seed))
        assert sum(counts.values()) == 10
        assert all(int(e) <= counts[i] <= int(e) + 1 for i, e in enumerate(expected))
        assert counts[4] == 0
        totals += counts
    for i, e in enumerate(expected):
        assert totals[i] / 300 == pytest.approx(e, abs=0.12)


def test_order_is_shuffled():
    drawn = draw([1.0, 2.0] * 20, 40)
    assert drawn != sorted(drawn)
    assert drawn == draw([1.0, 2.0] * 20, 40)
    assert drawn != draw([1.0, 2.0] * 20, 40, seed=1)


def test_without_regions_it_is_the_default_sampler():
    data = range(13)
    plain = DefaultSampler(data, shuffle=True, seed=5)
    for sums in (None, [0.0] * 13):
        mined = MinedImageSampler(data, seed=5)
        if sums is not None:
            mined.set_regions(sums)
        for epoch in range(3):
            plain.set_epoch(epoch)
            mined.set_epoch(epoch)
            assert list(mined) == list(plain)


def test_images_with_regions_come_more_often_in_an_epoch_of_the_same_length():
    sampler = MinedImageSampler(range(100), boost=0.5, cap=4.0, seed=1)
    sums = [0.0] * 98 + [2.0, 50.0]  # weights 1, 2 and 3 (capped)
    sampler.set_regions(sums)
    totals = Counter()
    for epoch in range(60):
        sampler.set_epoch(epoch)
        drawn = list(sampler)
        assert len(drawn) == len(sampler) == 100
        totals += Counter(drawn)
    share = 60 * 100 / (98 + 2 + 3)
    assert totals[98] == pytest.approx(2 * share, rel=0.1)
    assert totals[99] == pytest.approx(3 * share, rel=0.1)


def test_two_processes_share_one_epoch(monkeypatch):
    alone = MinedImageSampler(range(9), seed=2)
    alone.set_regions([0, 3.0, 0, 0, 1, 0, 0, 0, 0])
    shares = []
    for rank in range(2):
        monkeypatch.setattr("mmengine.dataset.sampler.get_dist_info", lambda rank=rank: (rank, 2))
        sampler = MinedImageSampler(range(9), seed=2)
        sampler.set_regions([0, 3.0, 0, 0, 1, 0, 0, 0, 0])
        shares.append(list(sampler))
    assert len(shares[0]) == len(shares[1]) == 5
    joined = [i for pair in zip(*shares, strict=True) for i in pair]
    assert len(joined) == 10  # rounded up, as DefaultSampler does
    assert max(Counter(joined), key=lambda i: Counter(joined)[i]) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [(dict(boost=-1.0), "boost"), (dict(cap=0.0), "cap"), (dict(shuffle=False), "shuffle")],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        MinedImageSampler(range(3), **settings)


def test_wrong_number_of_sums():
    with pytest.raises(ValueError, match="2 sums for 3 images"):
        MinedImageSampler(range(3), seed=0).set_regions([0, 0])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_coco(tmp_path_factory.mktemp("data") / "set", splits=dict(train=5, val=1, test=1))


def build(data, *steps):
    init_default_scope("mmdet")
    cfg = tiny_config("retinanet/retina_composite_hituav160.py", data).train_dataloader.dataset
    cfg.pipeline = [*cfg.pipeline[:2], *steps, dict(type="PackDetInputs")]
    return DATASETS.build(cfg)


def test_samples_tell_the_geometry(data):
    dataset = RepeatDataset(build(data, dict(type="RandomFlip", prob=1.0)), 2)
    pack_geometry(dataset)
    meta = dataset[6]["data_samples"].metainfo
    assert meta["homography_matrix"].tolist() == [[-1, 0, 96], [0, 1, 0], [0, 0, 1]]
    assert meta["img_id"] == 2
    keys = dataset.dataset.pipeline.transforms[-1].meta_keys
    pack_geometry(dataset)  # once more changes nothing
    assert dataset.dataset.pipeline.transforms[-1].meta_keys == keys


def test_transforms_that_hide_where_pixels_go_are_refused(data):
    nested = dict(type="RandomApply", transforms=[dict(type="RandomShift")], prob=0.5)
    with pytest.raises(ValueError, match="RandomShift"):
        pack_geometry(build(data, nested))


def test_sums_by_sample(data):
    dataset = RepeatDataset(build(data), 2)
    assert region_sums(dataset, {2: 1.5, 99: 7.0}) == [0, 1.5, 0, 0, 0] * 2
