"""The house itself: light imports, one reader of the environment, lists that cannot drift."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reasonry

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src" / "reasonry").rglob("*.py"))
HEAVY = (
    "torch",
    "transformers",
    "sympy",
    "math_verify",
    "datasets",
    "reasoning_gym",
    "pyarrow",
    "numpy",
    "pandas",
    "ray",
)


def modules_after(program: str) -> set[str]:
    code = f"import sys\n{program}\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_reasonry_loads_nothing_heavy() -> None:
    assert modules_after("import reasonry").isdisjoint(HEAVY)


def test_the_help_page_loads_nothing_heavy() -> None:
    show = "from reasonry.cli.main import main\ntry:\n    main(['--help'])\n"
    assert modules_after(show + "except SystemExit as end:\n    assert not end.code").isdisjoint(HEAVY)


@pytest.mark.parametrize("module", ["math", "exact", "choice", "steps", "batch"])
def test_importing_a_verifier_loads_no_torch_and_no_sympy(module: str) -> None:
    loaded = modules_after(f"import reasonry.verifiers.{module}")
    assert loaded.isdisjoint({"torch", "transformers", "sympy", "datasets"})


def test_importing_reasonry_takes_less_than_three_tenths_of_a_second() -> None:
    program = "import time; t = time.process_time(); import reasonry; print(time.process_time() - t)"
    times = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        times.append(float(done.stdout))
    assert min(times) < 0.3


def test_the_environment_is_read_in_one_place() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert path.name == "env.py" or not re.search(r"os\.environ|getenv", text), path


def test_every_public_name_can_be_imported() -> None:
    assert reasonry.__all__ == sorted(reasonry.__all__)
    for name in reasonry.__all__:
        assert getattr(reasonry, name) is not None


def test_every_module_says_what_it_is() -> None:
    for path in SOURCES:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_no_source_file_grows_out_of_reading() -> None:
    long = {path.name: n for path in SOURCES if (n := len(path.read_text(encoding="utf-8").splitlines())) > 450}
    assert not long


def test_no_file_names_a_place_of_this_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    pattern = re.compile(r"/(?:work|home|root|Users)/\w")
    for name in listed.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".toml", ".md", ".j2", ".json", ""} and path.is_file() and path != Path(__file__):
            assert not pattern.search(path.read_text(encoding="utf-8", errors="replace")), name
