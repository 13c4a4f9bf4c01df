"""Mining within a run: when, with what effect, and the same after a resume."""

import json

import pytest
import torch
from helpers_data import tiny_config, write_coco
from mmengine.config import Config
from mmengine.runner import Runner

from mmthermal.common.checks import InputError
from mmthermal.common.safe_loading import load_file
from mmthermal.engine import HardNegativeMiningHook
from mmthermal.mining import MiningSettings, Region, RegionFile

EPOCHS = 3
# found with random weights already
SETTINGS = dict(score_thr=0.009, iou_thr=0.1, ratio=0.5)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_coco(tmp_path_factory.mktemp("data") / "set", splits=dict(train=6, val=2, test=2))


def config(data, work_dir, *, epochs=EPOCHS, sampler="MinedImageSampler", **hook):
    cfg = tiny_config("retinanet/retina_composite_hituav160.py", data)
    cfg = Config(cfg.to_dict())
    cfg.work_dir = str(work_dir)
    cfg.train_cfg.max_epochs = epochs
    cfg.merge_from_dict(
        {
            "train_cfg.val_interval": 100,
            "train_dataloader.batch_size": 3,
            "train_dataloader.sampler.type": sampler,
            "model.test_cfg.score_thr": 0.001,
            "model.bbox_head.loss_composite.warmup_iters": 0,
            "model.bbox_head.loss_composite.ramp_iters": 0,
            "default_hooks.checkpoint.max_keep_ckpts": 10,
            "default_hooks.checkpoint.save_best": None,
            "default_hooks.visualization.draw": False,
            "val_dataloader": None,
            "val_cfg": None,
            "val_evaluator": None,
        }
    )
    # no augmentation: mmengine keeps no random states, so that only this run can be repeated
    steps = cfg.train_dataloader.dataset.pipeline
    cfg.train_dataloader.dataset.pipeline = [
        step for step in steps if not step["type"].startswith("Random")
    ]
    hook = dict(dict(interval=1, settings=SETTINGS, weight=3.0), **hook)
    cfg.custom_hooks = [dict(hook, type="HardNegativeMiningHook")]
    cfg.experiment_name = work_dir.name
    return cfg


def train(cfg):
    runner = Runner.from_cfg(cfg)
    runner.train()
    (hook,) = [h for h in runner.hooks if isinstance(h, HardNegativeMiningHook)]
    return runner, hook


def region_file(path, *regions, round_number=0):
    ids = {r.image_id for r in regions}  # the images of write_coco are numbered from 0 on
    images = tuple(dict(id=i, file_name=f"{i - 1:03d}.png", width=96, height=64) for i in ids)
    info = dict(round=round_number)
    return str(RegionFile(tuple(regions), images, (dict(id=1, name="person"),), info).write(path))


@pytest.fixture(scope="module")
def through(data, tmp_path_factory):
    """A run of three epochs with mining after the first and the second."""
    folder = tmp_path_factory.mktemp("through")
    return (*train(config(data, folder)), folder)


def test_mines_after_the_epochs_asked_for_but_the_last(through):
    _, hook, folder = through
    names = sorted(p.name for p in (folder / "hard_negatives").iterdir())
    assert names == ["round_0.json", "round_1.json"]
    last = RegionFile.read(folder / "hard_negatives" / "round_1.json")
    assert last.regions == hook.regions
    assert last.round == hook.round == 1
    first = RegionFile.read(folder / "hard_negatives" / "round_0.json")
    assert len(first.regions) == 6  # floor(0.5 * 12 objects)


def test_heads_and_sampler_use_the_regions(through):
    runner, hook, _ = through
    assert runner.model.bbox_head.mined_regions is hook.lookup
    assert len(hook.lookup) == len(hook.regions) > 0
    sampler = runner.train_dataloader.sampler
    sums = [sum(r.weight for r in hook.regions if r.image_id == i) for i in range(1, 7)]
    assert sampler._weights.tolist() == pytest.approx([1 + 0.5 * min(s, 4) for s in sums])


def test_resumed_run_is_bit_equal(through, data, tmp_path):
    runner, hook, folder = through
    cfg = config(data, tmp_path)
    cfg.resume, cfg.load_from = True, str(folder / "epoch_1.pth")
    resumed, its_hook = train(cfg)
    assert its_hook.regions == hook.regions
    assert its_hook.round == hook.round
    expected = runner.model.state_dict()
    assert all(
        torch.equal(value, expected[key]) for key, value in resumed.model.state_dict().items()
    )


def test_regions_change_the_training(through, data, tmp_path):
    """What the previous test compares is not the same whatever the hook does."""
    runner, _, folder = through
    cfg = config(data, tmp_path, begin=99)
    cfg.resume, cfg.load_from = True, str(folder / "epoch_1.pth")
    checkpoint = load_file(folder / "epoch_1.pth")
    checkpoint.pop("hard_negatives")
    torch.save(checkpoint, tmp_path / "bare.pth")
    cfg.load_from = str(tmp_path / "bare.pth")
    other, hook = train(cfg)
    assert hook.regions == ()
    expected = runner.model.state_dict()
    assert not all(torch.equal(v, expected[k]) for k, v in other.model.state_dict().items())


def test_weights_of_another_run_bring_no_regions(through, data, tmp_path):
    _, _, folder = through
    cfg = config(data, tmp_path, epochs=1)
    cfg.load_from = str(folder / "epoch_2.pth")
    _, hook = train(cfg)
    assert (hook.regions, hook.round) == ((), -1)


def test_regions_of_a_file_without_those_on_objects_and_excluded(data, tmp_path):
    truth = json.loads((data / "annotations" / "train.json").read_text())
    on_object = tuple(float(v) for v in truth["annotations"][0]["bbox"])
    empty = 6  # the last image has no object
    kept = Region(empty, (10.0, 10.0, 12.0, 12.0), 1, 0.9, 1.0, 0, 0)
    marked = Region(empty, (60.0, 30.0, 12.0, 12.0), 1, 0.8, 0.9, 0, 0)
    exclude = tmp_path / "exclude.json"
    exclude.write_text(json.dumps(dict(exclude=[dict(image_id=empty, bbox=list(marked.bbox))])))
    file = region_file(
        tmp_path / "r.json",
        kept,
        marked,
        Region(truth["annotations"][0]["image_id"], on_object, 1, 0.7, 0.8, 0, 0),
        Region(999, (0.0, 0.0, 5.0, 5.0), 1, 0.7, 0.8, 0, 0),
        round_number=3,
    )
    cfg = config(data, tmp_path / "run", epochs=1, interval=None, file=file, exclude=str(exclude))
    _, hook = train(cfg)
    assert hook.regions == (kept,)
    assert hook.round == 3
    assert not (tmp_path / "run" / "hard_negatives").exists()


def write_exclusions(path, *image_ids):
    entries = [dict(image_id=image, bbox=[0, 0, 9, 9]) for image in image_ids]
    path.write_text(json.dumps(dict(exclude=entries)))
    return str(path)


@pytest.mark.parametrize("image", [1, 999])
def test_hard_negatives_of_another_data_set_stop_the_run_before_it_begins(data, tmp_path, image):
    region = Region(image, (10.0, 10.0, 12.0, 12.0), 1, 0.9, 1.0, 0, 0)
    record = dict(id=image, file_name="night/other_0.png", width=640, height=512)
    path = RegionFile((region,), (record,), (), dict(round=0)).write(tmp_path / "other.json")
    runner = Runner.from_cfg(config(data, tmp_path / "run", interval=None, file=str(path)))
    words = "is of another data set" if image == 1 else "none of its 1 regions"
    with pytest.raises(InputError, match=f"file='.*other.json'.* {words}"):
        runner.train()
    assert runner.iter == 0


def test_exclusions_of_images_that_are_not_there_stop_the_run(data, tmp_path):
    exclude = write_exclusions(tmp_path / "exclude.json", 1, "2", 999)
    runner = Runner.from_cfg(config(data, tmp_path / "run", exclude=exclude))
    with pytest.raises(InputError, match=r"exclude='.*exclude.json': 2 of its 3 .*'2', 999"):
        runner.train()


def test_images_of_the_file_that_the_set_lacks_may_be_excluded(data, tmp_path):
    regions = [Region(i, (10.0, 10.0, 12.0, 12.0), 1, 0.9, 1.0, 0, 0) for i in (6, 77)]
    file = region_file(tmp_path / "r.json", *regions)
    exclude = write_exclusions(tmp_path / "exclude.json", 77)
    cfg = config(data, tmp_path / "run", epochs=1, interval=None, file=file, exclude=exclude)
    assert train(cfg)[1].regions == (regions[0],)


def test_regions_of_a_checkpoint_of_another_data_set_are_refused(through, tmp_path):
    _, _, folder = through
    other = write_coco(tmp_path / "set", splits=dict(train=6, val=2, test=2), suffix=".bmp")
    content = json.loads((other / "annotations" / "train.json").read_text())
    for number, image in enumerate(content["images"]):
        path = other / "train" / image["file_name"]
        image["file_name"] = f"n{number}.bmp"
        path.rename(path.with_name(image["file_name"]))
    (other / "annotations" / "train.json").write_text(json.dumps(content))
    cfg = config(other, tmp_path / "run")
    cfg.resume, cfg.load_from = True, str(folder / "epoch_1.pth")
    with pytest.raises(InputError, match="the checkpoint is of another data set"):
        train(cfg)


def moves(cfg):
    """What the hook was told of each image's pixels."""
    told = []
    runner = Runner.from_cfg(cfg)
    (hook,) = [h for h in runner.hooks if isinstance(h, HardNegativeMiningHook)]
    begin = hook.lookup.begin_batch
    hook.lookup.begin_batch = lambda metas: (told.extend(metas), begin(metas))
    runner.train()
    return [meta.get("homography_matrix") for meta in told]


def with_flip(cfg):
    steps = cfg.train_dataloader.dataset.pipeline
    return [*steps[:-1], dict(type="RandomFlip", prob=1.0), steps[-1]]


@pytest.mark.parametrize("persistent", [False, True])
def test_regions_follow_the_workers_of_an_iter_based_loop(data, tmp_path, persistent):
    """mmengine starts them when it builds the loop, before any hook is asked."""
    file = region_file(tmp_path / "r.json", Region(1, (10.0, 10.0, 12.0, 12.0), 1, 0.9, 1.0, 0, 0))
    cfg = config(data, tmp_path / "run", sampler="InfiniteSampler", interval=None, file=file)
    cfg.train_dataloader.dataset.pipeline = with_flip(cfg)
    cfg.train_dataloader.update(num_workers=1, persistent_workers=persistent)
    cfg.train_cfg = dict(type="IterBasedTrainLoop", max_iters=2)
    cfg.default_hooks.checkpoint.by_epoch = False
    cfg.param_scheduler = None
    found = moves(cfg)
    assert len(found) == 6 and all(matrix[0][0] == -1 for matrix in found)


def test_regions_follow_a_pipeline_that_is_switched(data, tmp_path):
    cfg = config(data, tmp_path / "run", epochs=2, begin=9)
    hook = dict(type="PipelineSwitchHook", switch_epoch=1, switch_pipeline=with_flip(cfg))
    cfg.custom_hooks = [*cfg.custom_hooks, hook]
    found = moves(cfg)
    assert [matrix is not None for matrix in found[6:]] == [True] * 6
    assert all(matrix[0][0] == -1 for matrix in found[6:])


def test_images_that_cannot_be_mined_stop_the_run_before_it_begins(data, tmp_path):
    cfg = config(data, tmp_path)
    cfg.test_dataloader = cfg.test_cfg = cfg.test_evaluator = None
    runner = Runner.from_cfg(cfg)
    with pytest.raises(ValueError, match="lacks a training or a test data set"):
        runner.train()
    assert runner.iter == 0


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (dict(), ValueError, "nothing to do"),
        (dict(interval=0), ValueError, "interval"),
        (dict(interval=1, begin=0), ValueError, "begin"),
        (dict(interval=1, decay=1.0), ValueError, "decay"),
        (dict(interval=1, wieght=2.0), TypeError, "wieght"),
        (dict(interval=1, settings=dict(iou=0.1)), TypeError, "iou"),
        (dict(file="nowhere.json"), FileNotFoundError, "nowhere"),
    ],
)
def test_bad_settings(settings, error, message):
    with pytest.raises(error, match=message):
        HardNegativeMiningHook(**settings)


def test_other_heads_are_refused(data, tmp_path):
    cfg = config(data, tmp_path)
    cfg.model.bbox_head.type = "RetinaHead"
    cfg.model.bbox_head.pop("loss_composite")
    cfg.model.train_cfg.sampler = dict(type="PseudoSampler")
    with pytest.raises(TypeError, match="CompositeRetinaHead"):
        train(cfg)


def test_a_second_hook_is_refused(data, tmp_path):
    cfg = config(data, tmp_path)
    cfg.custom_hooks = [*cfg.custom_hooks, dict(cfg.custom_hooks[0], begin=2)]
    with pytest.raises(InputError, match="more than one HardNegativeMiningHook"):
        Runner.from_cfg(cfg).train()


def test_settings_reach_the_search():
    hook = HardNegativeMiningHook(interval=2, settings=dict(ratio=3.0, count="images"))
    assert hook.settings == MiningSettings(ratio=3.0, count="images")


def test_every_setting_of_a_config_reaches_the_hook(data, tmp_path):
    """mmengine takes a hook's key 'priority' for the order of the hooks, without a word."""
    cfg = config(data, tmp_path, begin=99, mine_first=False, weight=5.0, anchor_iou=0.4)
    runner = Runner.from_cfg(cfg)
    (hook,) = [h for h in runner.hooks if isinstance(h, HardNegativeMiningHook)]
    lookup = hook.lookup
    assert (lookup.mine_first, lookup.weight, lookup.iou_thr) == (False, 5.0, 0.4)
