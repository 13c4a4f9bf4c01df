"""The training set without augmentation and repetition, and what is annotated in it."""

import numpy as np
import pytest
from mmengine.config import Config, ConfigDict

from mmthermal.mining.finding import GroundTruth
from mmthermal.mining.region_file import Region
from mmthermal.mining.training_set import (
    TrainingSet,
    ground_truth,
    training_set,
    truths_of,
)


def test_counts_of_the_training_set(small):
    images = training_set(small[0])
    assert images.image_ids == [1, 2, 3, 4, 5, 6, 7]
    assert images.num_objects == 15  # 2, 3, 2, 3, 2, 3 and an empty one
    assert images.num_images == 6
    assert [c["name"] for c in images.categories] == ["person", "vehicle", "bicycle"]
    assert images.records[0] == dict(id=1, file_name="000.png", width=96, height=64)


def test_wrappers_are_taken_off_and_joined_sets_kept(small):
    cfg = Config(small[0].to_dict())
    inner = cfg.train_dataloader.dataset
    half = dict(inner, indices=3)
    cfg.train_dataloader.dataset = ConfigDict(
        type="RepeatDataset", times=4, dataset=dict(type="ConcatDataset", datasets=[half])
    )
    assert training_set(cfg).image_ids == [1, 2, 3]
    cfg.train_dataloader.dataset = ConfigDict(type="ConcatDataset", datasets=[half, half])
    with pytest.raises(ValueError, match="two images"):
        training_set(cfg)


def test_regions_bring_the_records_of_their_images(small):
    images = training_set(small[0])
    regions = [Region(image, (1.0, 2.0, 9.0, 9.0), 1, 0.5, 1.0, 0, 0) for image in (5, 2, 5)]
    content = images.region_file(regions, dict(round=3))
    assert content.regions == tuple(regions)
    assert [(record["id"], record["file_name"]) for record in content.images] == [
        (2, "001.png"),
        (5, "004.png"),
    ]
    assert [category["name"] for category in content.categories] == ["person", "vehicle", "bicycle"]
    assert content.round == 3


def test_ignored_objects_are_told_apart():
    instances = [
        dict(bbox=[1, 2, 11, 32], ignore_flag=0),
        dict(bbox=[0, 0, 5, 5], ignore_flag=1),
    ]
    truth = ground_truth(dict(instances=instances))
    np.testing.assert_array_equal(truth.boxes, [[1, 2, 10, 30], [0, 0, 5, 5]])
    assert truth.crowd.tolist() == [False, True]
    assert ground_truth({}).boxes.shape == (0, 4)


class Samples:
    """A data set of (id, path) pairs without objects."""

    def __init__(self, *pairs):
        self.pairs = pairs

    def __len__(self):
        return len(self.pairs)

    def get_data_info(self, ind):
        image, path = self.pairs[ind]
        return dict(img_id=image, img_path=path)


def test_repeated_samples_are_one_image_but_two_files_of_one_id_are_refused():
    assert set(truths_of(Samples((1, "a.png"), (2, "b.png"), (1, "a.png")))) == {1, 2}
    with pytest.raises(ValueError, match=r"a\.png and b\.png .* have one id, 1"):
        truths_of(Samples((1, "a.png"), (1, "b.png")))


def test_crowd_regions_are_no_objects_and_make_no_image_count():
    boxes = np.array([[0, 0, 5, 5.0], [9, 9, 5, 5]])
    crowds = dict(a=[True, True], b=[True, False])
    truths = {image: GroundTruth(boxes, np.array(crowd)) for image, crowd in crowds.items()}
    images = TrainingSet(None, ["a", "b"], [], truths, {}, [])
    assert (images.num_objects, images.num_images) == (1, 1)
