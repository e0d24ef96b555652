"""A recipe whose rounds take a second each: students that learn nothing yet, from real runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reasonry.recipe import Recipe, load_recipe

RECIPE = """
name = "rounds"
seed = 3

[[questions]]
source = "procedural"
family = "chain_sum"
steps = 2
digits = 1
count = 40
domain = "sums"

[[questions]]
source = "procedural"
family = "chain_signed"
steps = 2
digits = 1
count = 40
domain = "differences"

[distil]
teacher = "simulated"
accuracy = 0.8

[[train]]
trainer = "tiny"
layers = 1
width = 16
heads = 2
steps = 4

[[evaluate]]
benchmark = "procedural"
name = "sums"
family = "chain_sum"
steps = 2
digits = 1
count = 12
domain = "sums"
max_tokens = 8
untrained = false

[[evaluate]]
benchmark = "procedural"
name = "differences"
family = "chain_signed"
steps = 2
digits = 1
count = 12
domain = "differences"
max_tokens = 8
untrained = false
"""


@pytest.fixture(scope="session")
def rounds_recipe(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Recipe]:
    """The recipe, with what is set."""
    path = tmp_path_factory.mktemp("rounds") / "recipe.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return lambda *settings: load_recipe(path, settings)
