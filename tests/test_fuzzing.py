"""Broken inputs by the thousand: a clear error, or a result that is whole.

The seeds are fixed (the profile derandomizes), so that every run tries the same inputs; the
numbers below add up to 12,000. The invariant of each stands in its test's name.
"""

import copy
import io
import json
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mmthermal  # noqa: F401 (registers)
from mmthermal.checking.annotations import check_annotations
from mmthermal.checking.config_settings import wrong_settings
from mmthermal.common.checkpoints import newest_checkpoint
from mmthermal.common.checks import check_finite
from mmthermal.common.display import read_image
from mmthermal.common.files import read_json
from mmthermal.common.safe_loading import CheckpointError, read_checkpoint
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.precision import average_precision
from mmthermal.losses import CompositeLoss
from mmthermal.mining.partial import PartialResults

pytestmark = pytest.mark.slow
CASES = dict(
    annotations=1500,
    images=1500,
    configs=1500,
    checkpoints=1500,
    logits=1500,
    results=2500,
    partial=1000,
    pointers=1000,
)


def fuzz(kind: str) -> Any:
    return settings(max_examples=CASES[kind], suppress_health_check=list(HealthCheck))


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.floats(), max_size=5),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def places(node: Any, way: tuple = ()) -> Iterator[tuple]:
    """Ways to every entry of nested dicts and lists."""
    entries = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in entries:
        yield (*way, key)
        if isinstance(value, dict | list):
            yield from places(value, (*way, key))


@st.composite
def mutated(draw: Any, content: Any) -> Any:
    """A copy of JSON content with one to three entries replaced, taken out or doubled."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        ways = list(places(content))
        if not ways:
            break
        *way, last = draw(st.sampled_from(ways))
        node = content
        for key in way:
            node = node[key]
        what = draw(st.sampled_from(["replace", "take", "double"]))
        if what == "replace":
            node[last] = draw(ODD)
        elif what == "take":
            del node[last]
        elif isinstance(node, list):
            node.append(copy.deepcopy(node[last]))
    return content


@st.composite
def mutated_bytes(draw: Any, data: bytes) -> bytes:
    """Bytes cut short, with some replaced, or with some put in."""
    changed = bytearray(data)
    kind = draw(st.sampled_from(["cut", "replace", "insert"]))
    place = draw(st.integers(0, len(changed)))
    if kind == "cut":
        return bytes(changed[:place])
    noise = draw(st.binary(min_size=1, max_size=64))
    end = place + len(noise) if kind == "replace" else place
    changed[place:end] = noise
    return bytes(changed)


COCO = dict(
    images=[dict(id=i, file_name=f"{i}.png", width=64, height=48) for i in (1, 2, 3)],
    annotations=[
        dict(id=i, image_id=1 + i % 3, category_id=1 + i % 2, bbox=[4.0 * i, 5, 10, 12], area=120,
             iscrowd=0)
        for i in range(1, 6)
    ],
    categories=[dict(id=1, name="person"), dict(id=2, name="vehicle")],
)  # fmt: skip
RESULTS = [
    dict(image_id=a["image_id"], category_id=a["category_id"], bbox=a["bbox"], score=0.1 * a["id"])
    for a in COCO["annotations"]
]


@fuzz("annotations")
@given(mutated(COCO))
def test_annotations_give_findings_and_no_traceback(content: Any) -> None:
    for finding in check_annotations(content, "train.json"):
        assert str(finding)


@fuzz("results")
@given(mutated(RESULTS))
def test_result_files_give_figures_in_range_or_a_value_error(content: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        annotations, results = Path(folder, "ann.json"), Path(folder, "results.json")
        annotations.write_text(json.dumps(COCO))
        results.write_text(json.dumps(content))
        try:
            table = MatchTable.from_coco(annotations, results)
        except ValueError as error:
            assert str(error)
            return
        found = average_precision(table)
        assert found is None or math.isnan(found) or -1 <= found <= 1


PNG = cv2.imencode(".png", np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 20)[1].tobytes()


@fuzz("images")
@given(mutated_bytes(PNG))
def test_images_are_read_or_named_in_a_value_error(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        file.write(data)
        file.flush()
        try:
            image = read_image(file.name)
        except (ValueError, cv2.error) as error:
            assert isinstance(error, cv2.error) or file.name in str(error)
            return
        assert image.ndim in (2, 3) and image.size


CONFIG = dict(
    model=dict(
        type="RetinaNet",
        bbox_head=dict(type="CompositeRetinaHead", loss_composite=dict(w_cls=1.0, w_box=2.0)),
        train_cfg=dict(sampler=dict(type="RandomSampler", num=8, pos_fraction=0.5)),
        test_cfg=dict(score_thr=0.05, nms=dict(type="nms", iou_threshold=0.5)),
    ),
    train_dataloader=dict(
        batch_size=4,
        dataset=dict(filter_cfg=dict(min_size=2), data_prefix=dict(img="train/")),
        sampler=dict(type="DefaultSampler", shuffle=True),
    ),
    optim_wrapper=dict(
        optimizer=dict(type="AdamW", lr=0.1), clip_grad=dict(max_norm=1), paramwise_cfg={}
    ),
    train_cfg=dict(max_epochs=6, val_interval=1),
    default_hooks=dict(timer=dict(type="IterTimerHook")),
)


@fuzz("configs")
@given(mutated(CONFIG))
def test_configs_give_sentences_and_no_traceback(content: Any) -> None:
    assert all(isinstance(line, str) and line for line in wrong_settings(content))


def checkpoint_bytes() -> bytes:
    file = io.BytesIO()
    state = dict(weight=torch.arange(6.0), bias=torch.zeros(2))
    torch.save(
        dict(state_dict=state, optimizer={}, message_hub={}, meta=dict(epoch=1, iter=2)), file
    )
    return file.getvalue()


CHECKPOINT = checkpoint_bytes()


@fuzz("checkpoints")
@given(mutated_bytes(CHECKPOINT))
def test_checkpoints_are_read_or_named_in_an_error(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "epoch_1.pth")
        path.write_bytes(data)
        try:
            content = read_checkpoint(path)
        except CheckpointError as error:
            assert str(path) in str(error)
        else:
            assert isinstance(content, dict)


@fuzz("pointers")
@given(st.binary(max_size=40), st.booleans())
def test_any_last_checkpoint_file_leads_to_the_one_that_loads(text: bytes, broken: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "epoch_1.pth").write_bytes(CHECKPOINT)
        if broken:
            Path(folder, "epoch_2.pth").write_bytes(CHECKPOINT[: len(CHECKPOINT) // 2])
        Path(folder, "last_checkpoint").write_bytes(text)
        found = newest_checkpoint(folder, lambda line: None)
        assert found is not None and found.name == "epoch_1.pth"


LOSS = CompositeLoss()
FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@fuzz("logits")
@given(st.lists(FLOATS, min_size=4, max_size=12), st.integers(1, 3))
def test_logits_give_a_finite_loss_and_gradient_or_an_error(values: list, num_pos: int) -> None:
    logits = torch.tensor(values)[:, None].requires_grad_()
    labels = torch.zeros(num_pos, dtype=torch.long)
    every = torch.ones(len(values), dtype=torch.long).index_fill(0, torch.arange(num_pos), 0)
    with np.errstate(all="ignore"):
        try:
            check_finite([("logits", logits)])  # as the heads do
            dense = LOSS.dense_sum(logits, every, torch.ones(len(values)))
            losses = LOSS(
                logits[:num_pos],
                labels,
                logits[num_pos:],
                box_sum=logits.sum() * 0,
                dense_sum=dense,
            )
        except FloatingPointError as error:
            assert not all(map(math.isfinite, values)) or "overflow" in str(error), values
            return
    assert all(map(math.isfinite, values))
    loss = losses["loss_cls"]
    if max(map(abs, values)) < 1e30:
        loss.backward()
        assert math.isfinite(float(loss)) and bool(torch.isfinite(logits.grad).all())


LINE = dict(index=3, regions=[[1.0, 2.0, 3.0, 4.0, 1, 0.5]])


@fuzz("partial")
@given(st.one_of(mutated(LINE).map(json.dumps), st.text(max_size=30)), st.booleans())
def test_partial_files_give_rows_or_an_error_with_file_and_line(text: str, whole: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        partial = PartialResults(folder, {})
        path = Path(folder, f"{partial.name}.0.jsonl")
        path.write_bytes((json.dumps(LINE) + "\n" + text + ("\n" if whole else "")).encode())
        try:
            rows = partial.read()
        except ValueError as error:
            assert str(path) in str(error) and "line " in str(error)
        else:
            assert all(isinstance(index, int) for index in rows)


def test_json_nested_deeply(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 200_000 + "]" * 200_000)
    with pytest.raises(ValueError, match=r"a\.json' is not valid JSON"):
        read_json(tmp_path / "a.json", what="file")


def test_there_are_ten_thousand() -> None:
    assert sum(CASES.values()) >= 10_000
