"""What is said to make a training fit does make it fit, and less than that does not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from reasonry.trainers.fitting import remedies, setup_of
from reasonry.trainers.needs import GPUS
from reasonry.trainers.shapes import SHAPES
from reasonry.trainers.trl_options import Share, TrlOptions

H100 = GPUS["H100"].bytes
BASE = "Qwen/Qwen2.5-7B-Instruct"


def options(**values: Any) -> TrlOptions:
    return TrlOptions.model_validate({"base": BASE, "gpu": "H100", **values})


def applied(options: TrlOptions, remedy: str) -> TrlOptions:
    """The recipe with the remedy's lines in it, as TOML reads them."""
    import tomllib

    return TrlOptions.model_validate({**options.content(), **tomllib.loads(remedy.replace(", ", "\n"))})


@pytest.mark.parametrize(
    "given",
    [
        {"accumulation": 96},
        {"accumulation": 96, "gpus": 8},
        {"accumulation": 96, "processes": 8},
        {"accumulation": 32, "max_length": 16_384},
        {"accumulation": 32, "max_length": 16_384, "gpus": 4, "gradient_checkpointing": True},
        {"base": "Qwen/Qwen2.5-32B-Instruct", "accumulation": 64, "gpus": 8, "max_length": 8192},
    ],
)
def test_each_remedy_makes_it_fit(given: dict[str, Any]) -> None:
    asked = options(**given)
    shape = SHAPES[str(asked.base)]
    assert not setup_of(asked).fits(shape, H100)
    found = remedies(setup_of(asked), shape, H100)
    assert found
    for remedy in found:
        assert setup_of(applied(asked, remedy)).fits(shape, H100), remedy
        for part in remedy.split(", "):
            if part != remedy and "gpus" not in remedy:
                assert not setup_of(applied(asked, part)).fits(shape, H100), f"{part} would do"


def test_what_nothing_helps_has_no_remedy() -> None:
    huge = options(base="Qwen/Qwen2.5-32B-Instruct", max_length=4_000_000)
    assert remedies(setup_of(huge), SHAPES[str(huge.base)], H100) == ()


@pytest.mark.parametrize(
    ("batch_size", "accumulation", "gpus", "share"),
    [(1, 96, 32, Share(1, 3)), (8, 4, 2, Share(8, 2)), (8, 1, 4, Share(2, 1)), (6, 1, 1, Share(6, 1))],
)
def test_the_gpus_share_a_step(batch_size: int, accumulation: int, gpus: int, share: Share) -> None:
    asked = options(batch_size=batch_size, accumulation=accumulation, gpus=gpus)
    assert asked.share_among(gpus) == share
    assert share.batch * share.accumulation * gpus == asked.sequences


def test_a_step_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(ValidationError, match="cannot share a step"):
        options(accumulation=10, gpus=4)


def test_what_is_said_of_gpus_is_in_no_key() -> None:
    plain = TrlOptions.model_validate({"base": BASE, "accumulation": 8})
    said = options(accumulation=8, gpus=8, sharding="zero3", gpu_usd_per_hour=2.0, gpu_utilization=0.4)
    assert plain.key_content() == said.key_content()
