"""One grader in a process of its own: a pair a line on stdin, its verdict a line on stdout, both JSON.

    PYTHON runner.py GRADER

It runs under the interpreter that has the grader's libraries, which may be another one than ours, so it needs nothing
but the standard library itself. The first line it writes says the grader's version (or why it cannot be loaded). What
a grader prints goes to stderr. Each grader is imported and called as its documentation shows; where its function
compares two answers and the text is a whole response, the last `\\boxed{}` is what it gets.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import resource
import sys
import time
import types
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

Grade = Callable[[str, str], bool]
"""(reference, response) -> whether the grader accepts the response."""

_DELIMITERS = re.compile(r"\\boxed|\\\(|\\\[|\$")


def _math_verify() -> Grade:
    """As documented: in `$...$` where nothing delimits the mathematics; its timeouts by signals are on."""
    compare = _math_verify_raw()
    return lambda gold, given: compare(_in_dollars(gold), _in_dollars(given))


def _in_dollars(text: str) -> str:
    return text if _DELIMITERS.search(text) else f"${text}$"


def _math_verify_raw() -> Grade:
    """Strings as they are, with and without delimiters."""
    library = importlib.import_module("math_verify")
    return lambda gold, given: bool(library.verify(library.parse(gold), library.parse(given)))


def _boxed(text: str) -> str:
    """The content of the last `\\boxed{}`, for graders that compare bare answers; the text itself without one."""
    start = text.rfind("\\boxed{")
    if start < 0:
        return text
    depth, first = 0, start + len("\\boxed{")
    for i in range(first - 1, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return text[first:i]
    return text[first:]


def _mathruler() -> Grade:
    grader = importlib.import_module("mathruler.grader")
    return lambda gold, given: bool(grader.grade_answer(_boxed(given), _boxed(gold)))


def _hollow(*names: str) -> None:
    """Make packages importable without what their `__init__` loads (torch, Ray and so on)."""
    for name in names:
        top, *rest = name.split(".")
        found = sys.modules.get(top) or importlib.util.find_spec(top)
        if found is None:
            raise ModuleNotFoundError(f"No module named '{top}'", name=top)
        folders: list[str] = list(getattr(found, "__path__", None) or getattr(found, "submodule_search_locations", []))
        module = types.ModuleType(name)
        module.__path__ = [os.path.join(folders[0], *rest)]  # noqa: PTH118
        sys.modules[name] = module


def _verl_prime() -> Grade:
    _hollow("verl", "verl.utils", "verl.utils.reward_score")
    torch_only: Any = types.ModuleType("verl.utils.metric")
    torch_only.Metric = object
    sys.modules["verl.utils.metric"] = torch_only
    grader = importlib.import_module("verl.utils.reward_score.prime_math")

    def grade(gold: str, given: str) -> bool:
        found = grader.compute_score(f"\\boxed{{{_boxed(given)}}}", _boxed(gold))
        return bool(found[0] if isinstance(found, tuple) else found)

    return grade


def _lm_eval_hendrycks() -> Grade:
    _hollow("lm_eval", "lm_eval.tasks")
    grader = importlib.import_module("lm_eval.tasks.hendrycks_math.utils")
    return lambda gold, given: bool(grader.is_equiv(_boxed(given), _boxed(gold)))


def _lm_eval_minerva() -> Grade:
    _hollow("lm_eval", "lm_eval.tasks")
    grader = importlib.import_module("lm_eval.tasks.minerva_math.utils")
    normal: Callable[[str], str] = grader.normalize_final_answer
    return lambda gold, given: bool(grader.is_equiv(normal(_boxed(given)), normal(_boxed(gold))))


def _inspect_ai() -> Grade:
    asyncio = importlib.import_module("asyncio")
    library = importlib.import_module("inspect_ai.scorer")
    state, output = importlib.import_module("inspect_ai.solver"), importlib.import_module("inspect_ai.model")
    score = library.math()
    loop = asyncio.new_event_loop()

    def grade(gold: str, given: str) -> bool:
        said = output.ModelOutput.from_content("none", given)
        task = state.TaskState("none/none", sample_id=1, epoch=1, input="", messages=[], output=said)
        return loop.run_until_complete(score(task, library.Target([gold]))).value == "C"

    return grade


def _exact() -> Grade:
    return lambda gold, given: gold.strip() == _boxed(given).strip()


GRADERS: dict[str, tuple[Callable[[], Grade], str]] = {
    "math-verify": (_math_verify, "math-verify"),
    "math-verify-raw": (_math_verify_raw, "math-verify"),
    "mathruler": (_mathruler, "mathruler"),
    "verl-prime": (_verl_prime, "verl"),
    "hendrycks": (_lm_eval_hendrycks, "lm-eval"),
    "minerva": (_lm_eval_minerva, "lm-eval"),
    "inspect-ai": (_inspect_ai, "inspect-ai"),
    "exact": (_exact, ""),
}
"""What loads a grader, and the distribution it comes from."""


def cpu_s() -> float:
    """CPU time of this process and of the children that have ended."""
    return _children_s() + time.process_time()


def _children_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def answer(grade: Callable[[dict[str, Any]], dict[str, Any]], request: dict[str, Any]) -> dict[str, Any]:
    """What a grader says of one request, and the CPU time it took; what it raises is its error."""
    children, start = _children_s(), time.process_time()
    try:
        found = grade(request)
    except Exception as exc:  # noqa: BLE001 - a grader may raise anything, and that is counted
        found = {"equal": False, "error": f"{type(exc).__name__}: {exc}"[:200]}
    spent = time.process_time() - start
    return {**found, "cpu_s": spent + _children_s() - children}


def serve(hello: dict[str, Any], grade: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer requests, a line each, until stdin ends. Stdout is ours alone: what others print goes to stderr."""
    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    print(json.dumps(hello), file=replies, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request.get("clear"):
            _clear_sympy()
            continue
        print(json.dumps(answer(grade, request)), file=replies, flush=True)


def _clear_sympy() -> None:
    """SymPy remembers what it worked out; a round of timings starts without."""
    if "sympy" in sys.modules:
        importlib.import_module("sympy.core.cache").clear_cache()


def main() -> None:
    load, distribution = GRADERS[sys.argv[1]]
    grade = load()
    grade("$\\frac{1}{2}$", "$0.5$")  # what loads late is loaded now
    hello = {"version": version(distribution) if distribution else ""}
    serve(hello, lambda request: {"equal": grade(request["gold"], request["given"])})


if __name__ == "__main__":
    main()
