"""System calls that Python does not offer, by number, through ctypes.

Every function raises OSError with the kernel's errno. Numbers and constants: the kernel's uapi headers.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable, Sequence

from reasonry.sandbox.inside.numbers import NUMBERS

__all__ = [
    "CLONE_NEWCGROUP",
    "CLONE_NEWIPC",
    "CLONE_NEWNET",
    "CLONE_NEWNS",
    "CLONE_NEWPID",
    "CLONE_NEWUSER",
    "CLONE_NEWUTS",
    "bind",
    "capability_dropper",
    "change_root",
    "clear_ambient_capabilities",
    "detach",
    "die_with_parent",
    "forbid_new_privileges",
    "lock_security_bits",
    "make_read_only",
    "mount",
    "number",
    "prctl",
    "prepared",
    "set_dumpable",
    "syscall",
    "unshare",
]

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
_MNT_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID = 1, 2

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECUREBITS, _PR_SET_NO_NEW_PRIVS = 1, 4, 28, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_SECURE_BITS_LOCKED = 0b11101111  # NOROOT, NO_SETUID_FIXUP, KEEP_CAPS off, NO_CAP_AMBIENT_RAISE, and all locked
_CAPABILITY_VERSION_3 = 0x20080522
_SIGKILL = 9

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine(), -1)


def number(name: str) -> int | None:
    """The number of a system call on this machine; None where it has none. Raises OSError on an unknown machine."""
    if _COLUMN < 0:
        raise OSError(f"no table of system calls for {platform.machine()}")
    return NUMBERS[name][_COLUMN]


def syscall(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    wanted = number(name)
    if wanted is None:
        raise OSError(f"this machine has no {name}")
    padded = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = int(_libc.syscall(ctypes.c_long(wanted), *padded))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def prepared(name: str, *arguments: int | ctypes.Array[ctypes.c_char]) -> Callable[[], None]:
    """The call as a function with nothing left to make: what a forked process allocates, it pays for in page faults."""
    wanted = number(name)
    if wanted is None:
        raise OSError(f"this machine has no {name}")
    call = _libc.syscall
    values = [ctypes.c_long(value) if isinstance(value, int) else value for value in (wanted, *arguments)]

    def make() -> None:
        if call(*values) < 0:
            code = ctypes.get_errno()
            raise OSError(code, f"{name}: {os.strerror(code)}")

    return make


def unshare(flags: int) -> None:
    syscall("unshare", flags)


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    kind_bytes = None if kind is None else kind.encode()
    syscall("mount", source.encode(), target.encode(), kind_bytes, flags, data.encode() or None)


def bind(target: str, *, source: str = ".") -> None:
    """Mount a folder or a file, with all that is mounted below it, a second time at `target`."""
    mount(source, target, None, MS_BIND | MS_REC)


def make_read_only(target: str) -> None:
    """The mount and every mount below it (Linux 5.12)."""
    attributes = (ctypes.c_uint64 * 4)(_MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID, 0, 0, 0)
    raw = ctypes.create_string_buffer(bytes(attributes), 32)
    syscall("mount_setattr", _AT_FDCWD, target.encode(), _AT_RECURSIVE, raw, 32)


def detach(target: str) -> None:
    syscall("umount2", target.encode(), _MNT_DETACH)


def change_root(new_root: str) -> None:
    """Make a mount the root, and let go of the old one."""
    os.chdir(new_root)
    syscall("pivot_root", b".", b".")
    detach(".")
    os.chdir("/")


def prctl(option: int, *arguments: int) -> int:
    padded = [*arguments, 0, 0, 0, 0][:4]
    result = int(_libc.prctl(option, *map(ctypes.c_ulong, padded)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl {option}: {os.strerror(code)}")
    return result


def die_with_parent() -> None:
    """SIGKILL when the parent thread ends. Any later change of user clears it again (prctl(2))."""
    prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def set_dumpable(*, allowed: bool) -> None:
    """Whether others of this user may trace this process or open its files under /proc."""
    prctl(_PR_SET_DUMPABLE, int(allowed))


def forbid_new_privileges() -> None:
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def lock_security_bits() -> None:
    """From here on, being user 0 gives no capabilities, not even through exec."""
    try:
        prctl(_PR_SET_SECUREBITS, _SECURE_BITS_LOCKED)
    except PermissionError:  # an ordinary user outside of any namespace, who has nothing to lock away
        if os.geteuid() == 0:
            raise


def capability_dropper(keep: Sequence[int] = ()) -> Callable[[], None]:
    """A function that keeps these capabilities and no others; with none, there is no way back."""
    low = high = 0
    for capability in keep:
        low |= (1 << capability) if capability < 32 else 0
        high |= (1 << capability - 32) if capability >= 32 else 0
    header = ctypes.create_string_buffer(bytes((ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)), 8)
    sets = ctypes.create_string_buffer(bytes((ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)), 24)
    return prepared("capset", header, sets)


def clear_ambient_capabilities() -> None:
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
