"""Which system calls a test may make: filters for the kernel's seccomp, assembled here.

Two filters, since every test pays for its own. The large one (an allowlist) is installed once, in the process that
starts the tests, and is inherited for nothing. It still allows what that process needs: to start processes and to mount
a fresh /tmp. The small one is installed in each test and takes that away. Of two filters the stricter answer counts.

A refused call fails with an errno and harms nobody, so that a program that only tries goes on: EPERM; ENOSYS where
libraries then fall back on another call (clone3, memfd_create); ENOTSUP for extended attributes (what `shutil` expects
of a file system without them). A call in another ABI (32 bit, x32) ends the process.

Source: Documentation/userspace-api/seccomp_filter.rst, linux/filter.h, linux/audit.h.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reasonry.sandbox.inside import kernel
from reasonry.sandbox.inside.numbers import NUMBERS

__all__ = ["Rule", "installer", "narrow_filter", "starter_filter"]

_LOAD, _EQUAL, _AT_LEAST, _ABOVE, _AND, _RETURN = 0x20, 0x15, 0x35, 0x25, 0x54, 0x06
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_FIRST_NEWER = 450
_X32_BIT = 0x40000000
_SET_MODE_FILTER = 1

_FILES = """
    read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 lseek open openat close close_range fstat
    stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getcwd chdir fchdir mkdir mkdirat rmdir
    unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat chmod fchmod fchmodat utime utimes utimensat
    futimesat truncate ftruncate fallocate umask getdents getdents64 dup dup2 dup3 pipe pipe2 poll ppoll select pselect6
    epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 fsync fdatasync statfs
    fstatfs fadvise64 sendfile copy_file_range
"""
_MEMORY = "mmap munmap mprotect mremap madvise brk msync"
_SELF = """
    getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp getpgid getsid uname
    sysinfo times getrusage getrlimit setrlimit getpriority sched_yield sched_getaffinity sched_getparam
    sched_getscheduler sched_get_priority_max sched_get_priority_min getcpu capget arch_prctl exit exit_group getrandom
    set_robust_list set_tid_address rseq membarrier futex futex_waitv wait4 waitid restart_syscall
"""
_TIME = """
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time getitimer setitimer alarm timer_create
    timer_settime timer_gettime timer_getoverrun timer_delete
"""
_SIGNALS = """
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigpending rt_sigtimedwait rt_sigqueueinfo
    rt_tgsigqueueinfo sigaltstack kill tkill tgkill pause
"""
_PAIRED_SOCKETS = "sendto recvfrom sendmsg recvmsg shutdown getsockopt getsockname getpeername"
# No file here has any.
_ATTRIBUTES = "getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr setxattr lsetxattr fsetxattr"
# Needed by the process that starts tests, and by no test.
_STARTING = "unshare mount umount2 capset seccomp setsid setpgid fork vfork execve execveat"

# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ, F_GET_SEALS: no locks, owners, leases.
_F_COMMANDS = (0, 1, 2, 3, 4, 1030, 1032, 1034)
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
# PR_GET_DUMPABLE, SET_NAME, GET_NAME, GET_SECCOMP, CAPBSET_READ, GET_NO_NEW_PRIVS, SET_VMA
_PRCTLS = (3, 15, 16, 21, 23, 39, 0x53564D41)
_UNGUARDED = "chdir fchdir chmod fchmod fchmodat utime utimes utimensat futimesat truncate"
_SENDING = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
# Streams, with or without SOCK_CLOEXEC and SOCK_NONBLOCK. A datagram could be sent to any socket that has a path.
_PAIRED = [kind | flags for kind in (1, 5) for flags in (0, 0x80000, 0x800, 0x80800)]
_CLONE_THREAD, _AF_UNIX = 0x00010000, 1

_BUFFERS: list[ctypes.Array[ctypes.c_char]] = []


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done with one system call: `verdict`, or `verdict` where a check of an argument holds, else `otherwise`.

    `argument` is the index of the argument that is looked at: it must be one of `values`, or, with a `mask`, hold that
    bit. Only the low 32 bits decide, since the calls concerned take an int there.
    """

    name: str
    verdict: int = _ALLOW
    argument: int | None = None
    values: Sequence[int] = ()
    mask: int | None = None
    otherwise: int = _ERRNO | errno.EPERM


def starter_filter() -> bytes:
    """The allowlist for the process that starts tests, and so for every test as well."""
    allowed = " ".join((_FILES, _MEMORY, _SELF, _TIME, _SIGNALS, _PAIRED_SOCKETS, _STARTING)).split()
    rules = [
        *(Rule(name) for name in allowed),
        *(Rule(name, _ERRNO | errno.ENOTSUP) for name in _ATTRIBUTES.split()),
        *(Rule(name, _ERRNO | errno.ENOSYS) for name in ("clone3", "memfd_create", "io_uring_setup")),
        Rule("clone"),
        Rule("prctl"),
        Rule("fcntl", argument=1, values=_F_COMMANDS),
        Rule("ioctl", argument=1, values=_IOCTLS, otherwise=_ERRNO | errno.ENOTTY),
        Rule("socketpair", argument=0, values=(_AF_UNIX,)),
        Rule("prlimit64", argument=0, values=(0,)),
    ]
    return _assemble(rules, default=_ERRNO | errno.EPERM, newer=_ERRNO | errno.ENOSYS)


def narrow_filter(
    *, may_execute: bool = False, may_fork: bool = False, only_signals: int | None = None, is_bare: bool = False
) -> bytes:
    """What a test loses of what its starter may do.

    `may_execute` is for languages whose program is a file that is executed. `may_fork` is for compilers. `only_signals`
    is the one process that it may signal. `is_bare` is for a test without a file system of its own: it cannot leave its
    folder, nor change what Landlock does not guard.
    """
    refused = set(_STARTING.split())
    if may_execute:
        refused -= {"execve", "execveat"}
    if may_fork:
        refused -= {"fork", "vfork", "setpgid"}
    if is_bare:
        refused |= set(_UNGUARDED.split())
    if only_signals is not None:
        refused.add("tkill")  # names a thread, of whatever process
    rules = [Rule(name, _ERRNO | errno.EPERM) for name in sorted(refused)]
    if not may_fork:
        rules.append(Rule("clone", argument=0, mask=_CLONE_THREAD))
    rules.append(Rule("prctl", argument=0, values=_PRCTLS))
    rules.append(Rule("socketpair", argument=1, values=_PAIRED))
    if only_signals is not None:
        # 0 (its group) and -1 (everyone) reach others.
        rules += [Rule(name, argument=0, values=(only_signals,)) for name in _SENDING]
    return _assemble(rules, default=_ALLOW)


def installer(program: bytes) -> Callable[[], None]:
    """A function that puts a filter in force for its thread, for good. Needs no_new_privs or CAP_SYS_ADMIN."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    install = kernel.prepared("seccomp", _SET_MODE_FILTER, 0, ctypes.create_string_buffer(header, len(header)))
    _BUFFERS.append(buffer)  # the header holds its address
    return install


def _assemble(rules: Iterable[Rule], default: int, newer: int | None = None) -> bytes:
    """Instructions of struct sock_filter: check the ABI, then one rule after the other, the plain ones as ranges.

    `newer` is the verdict on calls that are newer than this list: libraries take ENOSYS for an older kernel.
    """
    by_number: dict[int, Rule] = {}
    for rule in rules:
        number = kernel.number(rule.name)
        if number is not None:
            by_number[number] = rule
    code = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_EQUAL, _AUDIT[platform.machine()], 1, 0),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _NUMBER),
        _instruction(_AT_LEAST, _X32_BIT, 0, 1),
        _instruction(_RETURN, _KILL_PROCESS),
    ]
    for first, last, verdict in _ranges(by_number):
        code += [_instruction(_AT_LEAST, first, 0, 2), _instruction(_ABOVE, last, 1, 0), _instruction(_RETURN, verdict)]
    for number, rule in sorted(by_number.items()):
        if rule.argument is not None:
            checked = _checked(rule)
            code += [_instruction(_EQUAL, number, 0, len(checked)), *checked]
    if newer is not None:
        code += [_instruction(_AT_LEAST, _FIRST_NEWER, 0, 1), _instruction(_RETURN, newer)]
    return b"".join([*code, _instruction(_RETURN, default)])


def _ranges(by_number: dict[int, Rule]) -> Iterable[tuple[int, int, int]]:
    """Neighbouring numbers with the same verdict, taken together."""
    plain = sorted((number, rule.verdict) for number, rule in by_number.items() if rule.argument is None)
    first = last = -1
    verdict = 0
    for number, wanted in plain:
        if number == last + 1 and wanted == verdict and first >= 0:
            last = number
            continue
        if first >= 0:
            yield first, last, verdict
        first, last, verdict = number, number, wanted
    if first >= 0:
        yield first, last, verdict


def _checked(rule: Rule) -> list[bytes]:
    """Instructions that look at the argument and return."""
    assert rule.argument is not None
    code = [_instruction(_LOAD, _ARGUMENTS + 8 * rule.argument)]
    if rule.mask is not None:
        code.append(_instruction(_AND, rule.mask))
        code.append(_instruction(_EQUAL, rule.mask, 0, 1))
    else:
        for place, value in enumerate(rule.values):
            left = len(rule.values) - place - 1
            code.append(_instruction(_EQUAL, value & 0xFFFFFFFF, left, 0 if left else 1))
    return [*code, _instruction(_RETURN, rule.verdict), _instruction(_RETURN, rule.otherwise)]


def _instruction(operation: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", operation, if_true, if_false, value)


assert set(" ".join((_FILES, _MEMORY, _SELF, _TIME, _SIGNALS, _PAIRED_SOCKETS, _STARTING)).split()) <= set(NUMBERS)
