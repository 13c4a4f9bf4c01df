"""False positives per image where a share of the objects is found, counted by hand."""

import pytest
from pycocotools.coco import COCO

from mmthermal.mining.operating_point import fppi_at_recall

BOXES = [(1, 0), (1, 40), (2, 0), (2, 40), (3, 0)]  # image, x
IMAGES = 4


def truth(crowd=()):
    coco = COCO()
    annotations = [
        dict(id=i, image_id=image, category_id=1, bbox=[x, 0, 10, 10], area=100, iscrowd=0)
        for i, (image, x) in enumerate(BOXES, 1)
    ]
    annotations += [
        dict(id=90 + i, image_id=image, category_id=1, bbox=[x, 0, 30, 30], area=900, iscrowd=1)
        for i, (image, x) in enumerate(crowd)
    ]
    images = [dict(id=i, width=100, height=50) for i in range(1, IMAGES + 1)]
    coco.dataset = dict(images=images, annotations=annotations, categories=[dict(id=1, name="a")])
    coco.createIndex()
    return coco


def det(image, x, score):
    return dict(image_id=image, category_id=1, bbox=[x, 0, 10, 10], score=score)


# hit .9, miss .8, hits .7 .6, two misses .5, hit .4, miss .3
DETS = [
    det(1, 0, 0.9),
    det(4, 0, 0.8),
    det(1, 40, 0.7),
    det(2, 0, 0.6),
    det(4, 20, 0.5),
    det(4, 40, 0.5),
    det(2, 40, 0.4),
    det(3, 60, 0.3),
]


@pytest.mark.parametrize(
    ("recall", "fppi", "threshold"),
    [
        (0.2, 0 / 4, 0.9),
        (0.4, 1 / 4, 0.7),
        (0.6, 1 / 4, 0.6),  # 3 of 5
        (0.61, 3 / 4, 0.4),  # 4 of 5 are needed
        (0.8, 3 / 4, 0.4),
        (0.81, None, None),
    ],
)
def test_counts(recall, fppi, threshold):
    found = fppi_at_recall(truth(), DETS, recall=recall)
    assert (found["fppi"], found["threshold"]) == (fppi, threshold)
    assert found["max_recall"] == 0.8


def test_duplicates_are_false_and_crowd_counts_neither_way():
    extra = [det(1, 1, 0.95), det(4, 85, 0.99)]
    found = fppi_at_recall(truth(crowd=[(4, 80)]), DETS + extra, recall=0.2)
    # the better-scored of two on one object is the hit, at .95; the one in the crowd counts not
    assert (found["fppi"], found["threshold"]) == (0.0, 0.95)
    found = fppi_at_recall(truth(crowd=[(4, 80)]), DETS + extra, recall=0.4)
    assert found["fppi"] == 2 / 4  # the miss at .8, and the double at .9


def test_equal_scores_are_taken_together():
    dets = [det(1, 0, 0.5), det(4, 0, 0.5), det(4, 30, 0.5)]
    assert fppi_at_recall(truth(), dets, recall=0.2)["fppi"] == 2 / 4


def test_no_detection():
    assert fppi_at_recall(truth(), []) == dict(fppi=None, threshold=None, max_recall=0.0)


def test_bad_recall():
    with pytest.raises(ValueError, match="recall"):
        fppi_at_recall(truth(), DETS, recall=0.0)
