"""A Ray cluster on this machine, each node with processes of its own: for tests and measurements, and gone after them.

    with Nodes(2, 2) as nodes:              # two nodes of two processors; the first is the head
        ...                                 # RAY_ADDRESS=nodes.address
        nodes.kill(1)                       # every process of the second, at once: as a machine that loses its power
        nodes.add(2)

The cluster is started and held by a process of its own (this module as a program), which ends when its stdin does.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

__all__ = ["Nodes", "cpu_seconds", "descendants"]

_STORE_BYTES = 150 << 20  # of each node, for objects; Ray takes no less than 75 MB
_TICKS = os.sysconf("SC_CLK_TCK")


class Nodes(AbstractContextManager["Nodes"]):
    """A cluster of as many nodes as there are numbers of processors. `path` is where its workers find modules."""

    def __init__(self, *cpus: int, path: Sequence[Path] = ()) -> None:
        self._folder = tempfile.mkdtemp(prefix="ray")  # short: the names of sockets are limited
        (Path(self._folder) / "ray").mkdir()
        inherited = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
        paths = os.pathsep.join([*map(str, path), *inherited])
        changes = {"RAY_TMPDIR": self._folder, "RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": paths}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **changes},
        )
        self.newest = -1
        for count in cpus:
            self.add(count)

    @property
    def pid(self) -> int:
        """The process from which all others of the cluster descend."""
        return self._process.pid

    def add(self, cpus: int) -> None:
        """One more node: its number is `newest`."""
        self.address: str = self._told("add", cpus)
        self.newest += 1

    def kill(self, number: int) -> list[int]:
        """End every process of a node, and say which. The head is number 0, and cannot be spared."""
        return self._told("kill", number)

    def processes(self, number: int) -> list[int]:
        """The processes of a node."""
        return self._told("list", number)

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        everyone = descendants(self.pid)
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
        _kill(everyone)  # those that their node's end did not end
        shutil.rmtree(self._folder, ignore_errors=True)

    def _told(self, *order: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the cluster could not be started")
        return json.loads(answer)


def descendants(pid: int) -> list[int]:
    """Every process below this one. Needs /proc."""
    parents = {found: int(stat[1]) for found, stat in _stats()}
    below = {pid}
    for _ in parents:
        more = {child for child, parent in parents.items() if parent in below} - below
        if not more:
            break
        below |= more
    return sorted(below - {pid})


def cpu_seconds(pids: Sequence[int]) -> float:
    """Processor time of these and of their ended children so far. Needs /proc."""
    wanted = set(pids)
    return sum(sum(map(int, stat[11:15])) for pid, stat in _stats() if pid in wanted) / _TICKS


def _stats() -> list[tuple[int, list[str]]]:
    """The fields of each process that follow its name."""
    found: list[tuple[int, list[str]]] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            found.append((int(path.parent.name), path.read_text().rpartition(")")[2].split()))
    return found


def _kill(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class _Held:
    """The cluster, in the process that holds it."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self._cluster: Any = Cluster()
        self._nodes: list[Any] = []

    def add(self, cpus: int) -> str:
        head = {} if self._nodes else {"include_dashboard": False}
        self._nodes.append(self._cluster.add_node(num_cpus=cpus, object_store_memory=_STORE_BYTES, **head))
        return self._cluster.address

    def list(self, number: int) -> list[int]:
        started = [each.process.pid for kind in self._nodes[number].all_processes.values() for each in kind]
        return [*started, *(pid for each in started for pid in descendants(each))]

    def kill(self, number: int) -> list[int]:
        pids = self.list(number)
        _kill(pids)
        self._cluster.remove_node(self._nodes[number], allow_graceful=False)
        return pids

    def close(self) -> None:
        self._cluster.shutdown()


def _main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Ray prints
    held = _Held()
    for line in sys.stdin:
        name, argument = json.loads(line)
        print(json.dumps(getattr(held, name)(argument)), file=answers, flush=True)
    held.close()


if __name__ == "__main__":
    _main()
