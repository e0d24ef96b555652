"""Tier A: a box out of namespaces, in which the host cannot be named.

What there is: `/usr` and the interpreter, read-only; five devices; an empty `/tmp`; `/app` for compiled programs. What
there is not: `/proc`, `/sys`, `/etc` (but for the linker's cache and links to toolchains), the network, the host's
processes, users, IPC, or any right to make another namespace.

Source: namespaces(7), user_namespaces(7), mount_namespaces(7), pivot_root(2), mount_setattr(2).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reasonry.sandbox.inside import kernel

__all__ = [
    "APP",
    "SEARCH_PATH",
    "TMP",
    "Held",
    "enter_namespaces",
    "furnish",
    "mount_app",
    "mount_tmp",
    "open_places",
    "shown_packages",
    "write_map",
]

SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"
APP, TMP = "/app", "/tmp"  # noqa: S108 - the box's own
_TMP_OPTIONS = "size=64m,nr_inodes=4096,mode=1777"
_APP_OPTIONS = "size=128m,nr_inodes=1024,mode=755"
PACKAGES = "/packages"
_SCRATCH = "/tmp"  # noqa: S108 - where the new root is mounted in our own mount namespace
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/java-*")
_ALL = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
)
_TMPFS_FLAGS = kernel.MS_NOSUID | kernel.MS_NODEV


@dataclass(frozen=True, slots=True)
class Held:
    """A place of the host, opened in our mount namespace while we still had the user who may walk there."""

    source: str
    path: str  # in the box
    descriptor: int
    link: str | None = None  # a symbolic link is made anew, not followed


def enter_namespaces(ask_for_map: Callable[[], bool]) -> bool:
    """Leave the host's namespaces. `ask_for_map` has the host write the map of users; False: it may not, we do it.

    The result is what it was: where we did it, groups are as they were, and cannot be changed.

    The process ids change only for children: the caller forks next.
    """
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(_ALL)
    is_mapped = ask_for_map()
    if not is_mapped:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    return is_mapped


def write_map(process: int, user: int) -> None:
    """For the host, as root: user 0 of the box is a user that owns nothing here."""
    for name in ("gid_map", "uid_map"):
        Path(f"/proc/{process}/{name}").write_text(f"0 {user} 1")


def open_places(extra: Sequence[str], packages: Sequence[str]) -> list[Held]:
    """Every place of the host that the box shows. Done before the change of user: it may no longer get there.

    Packages are shown below `/packages`, wherever they are: their own place may be below `/tmp`.
    """
    wanted = [*((path, path) for path in _places(extra)), *zip(packages, shown_packages(packages), strict=True)]
    return [held for path, target in wanted if (held := _hold(path, target)) is not None]


def shown_packages(packages: Sequence[str]) -> list[str]:
    """Where a box shows them."""
    return [f"{PACKAGES}/{number}" for number in range(len(packages))]


def _places(extra: Sequence[str]) -> Iterator[str]:
    yield from _SYSTEM
    for path in extra:
        if not path.startswith("/usr/"):
            yield path
    for pattern in _SETTINGS:
        yield from map(str, sorted(Path("/").glob(pattern[1:])))


def _hold(path: str, target: str) -> Held | None:
    try:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            return Held(path, target, -1, os.readlink(path))
        return Held(path, target, os.open(path, os.O_PATH | os.O_CLOEXEC))
    except FileNotFoundError:
        return None


def furnish(places: Sequence[Held]) -> int:
    """Build the box in an empty root and move in. Made by the user of the box, or its tmpfs would refuse (EOVERFLOW).

    The result is a descriptor that writes `/dev/stdin`, an ordinary file that programs can only read: there is no
    `/proc/self/fd/0` that it could be a link to.
    """
    root = _SCRATCH
    kernel.mount("tmpfs", root, "tmpfs", _TMPFS_FLAGS, "size=1m,nr_inodes=4096,mode=755")
    for place in places:
        _show(place, root)
    Path(root, "dev").mkdir()
    for name in _DEVICES:
        target = f"{root}/dev/{name}"
        Path(target).touch()
        kernel.bind(target, source=f"/dev/{name}")
        kernel.make_read_only(target)
    for target in (TMP, APP):
        Path(root + target).mkdir(exist_ok=True)
    mount_tmp(root)
    mount_app(root)
    stdin = _make_stdin(root)
    kernel.change_root(root)
    kernel.mount("none", "/", None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _TMPFS_FLAGS)
    return stdin


def mount_tmp(root: str = "") -> None:
    """An empty `/tmp`."""
    kernel.mount("tmpfs", root + TMP, "tmpfs", _TMPFS_FLAGS | kernel.MS_NOEXEC, _TMP_OPTIONS)


def mount_app(root: str = "") -> None:
    """An empty `/app`, which can be written."""
    kernel.mount("tmpfs", root + APP, "tmpfs", _TMPFS_FLAGS, _APP_OPTIONS)


def _make_stdin(root: str) -> int:
    hidden = root + TMP
    kernel.mount("tmpfs", hidden, "tmpfs", _TMPFS_FLAGS | kernel.MS_NOEXEC, "size=256m,nr_inodes=4,mode=755")
    file = os.open(f"{hidden}/stdin", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o444)
    target = f"{root}/dev/stdin"
    Path(target).touch()
    kernel.bind(target, source=f"{hidden}/stdin")
    kernel.make_read_only(target)
    kernel.detach(hidden)
    return file


def _go_to(place: Held) -> None:
    try:
        os.fchdir(place.descriptor)
    except PermissionError as exc:
        raise PermissionError(exc.errno, f"{place.source}: others than its owner may not enter it") from exc


def _show(place: Held, root: str) -> None:
    target = Path(root + place.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if place.link is not None:
        target.symlink_to(place.link)
        return
    if stat.S_ISDIR(os.fstat(place.descriptor).st_mode):
        target.mkdir(exist_ok=True)
        _go_to(place)
        kernel.bind(str(target))
    else:
        target.touch()
        kernel.bind(str(target), source=place.source)
    os.close(place.descriptor)
    kernel.make_read_only(str(target))
