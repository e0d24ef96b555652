"""Tier B: where there are no user namespaces, Landlock keeps a process to the files it may read.

Nothing is writable, and no other file can be opened. What it does not hide: that a file exists, its size and times
(`stat`), and that other processes exist; seccomp keeps a test from changing folders and from signalling them.

Source: Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable

from reasonry.sandbox.inside import kernel

__all__ = ["restrict", "version"]

_CREATE_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # bits of file rights that a version knows; 16 since version 5
_BIND_AND_CONNECT_TCP = 3  # since version 4
_SCOPE_SOCKETS_AND_SIGNALS = 3  # since version 6
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def version() -> int:
    """The version of Landlock in the kernel. Raises OSError where there is none, or it is switched off."""
    return kernel.syscall("landlock_create_ruleset", 0, 0, _CREATE_VERSION)


def restrict(readable: Iterable[str]) -> None:
    """From here on, this process and its children read these places and open no others. Needs no_new_privs."""
    known = version()
    handled = (1 << _RIGHTS.get(known, 16)) - 1
    fields = [handled]
    if known >= 4:
        fields.append(_BIND_AND_CONNECT_TCP)
    if known >= 6:
        fields.append(_SCOPE_SOCKETS_AND_SIGNALS)
    attributes = struct.pack(f"{len(fields)}Q", *fields)
    rules = kernel.syscall("landlock_create_ruleset", attributes, len(attributes), 0)
    try:
        for path in readable:
            _allow(rules, path, _READ)
        for path in _DEVICES:
            _allow(rules, path, _READ_FILE | _WRITE_FILE)
        kernel.syscall("landlock_restrict_self", rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        kernel.syscall("landlock_add_rule", rules, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)
