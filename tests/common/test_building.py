"""What constructors say becomes an error of the config."""

import pytest
from mmdet.registry import DATASETS, MODELS, TRANSFORMS

from mmthermal.common.building import building
from mmthermal.common.checks import InputError


@pytest.mark.parametrize(
    ("registry", "cfg", "words"),
    [
        (
            MODELS,
            dict(type="RetinaHead", num_classes=2, in_channels=8, num_clases=2),
            "unexpected keyword argument 'num_clases': did you mean 'num_classes'",
        ),
        (TRANSFORMS, dict(type="RandomFlip", prop=0.5), "'prop': did you mean 'prob'"),
        (DATASETS, dict(type="CocoDataset", ann_fil="x"), "'ann_fil': did you mean 'ann_file'"),
        (MODELS, dict(type="RetinaHed"), "RetinaHed is not in the"),
        (TRANSFORMS, dict(type="RandomFlip", prob=2), "the config: "),
    ],
)
def test_words_of_the_constructor_and_what_was_meant(registry, cfg, words: str) -> None:
    with pytest.raises(InputError) as caught, building("the config"):
        registry.build(cfg)
    assert words in str(caught.value) and str(caught.value).startswith("the config: ")


def test_an_error_of_the_input_stays_as_it_is() -> None:
    error = InputError("said well")
    with pytest.raises(InputError) as caught, building("the config"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("error", [AssertionError(), ZeroDivisionError("a bug")])
def test_what_says_nothing_of_the_input_passes(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, building("the config"):
        raise error
    assert caught.value is error
