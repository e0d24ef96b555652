"""Programs that try what a sandbox must refuse or bound.

Each prints PWNED only where it had an effect outside of its own process, or where a limit did not hold. It is run with
little: one second of processor time, three on the clock, 512 MB. `PAIRS` are two programs each, run one after the other
in the same sandbox, of which the second looks for what the first has left.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HOSTILE", "PAIRS", "Hostile", "Pair"]


@dataclass(frozen=True, slots=True)
class Hostile:
    """A program and how it must end: "ok", "rte", "tle", "ole" or "ce"; `expected_landlock` where that tier differs."""

    name: str
    description: str
    source: str
    expected: str
    expected_landlock: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """`first` leaves something behind; `second` prints PWNED if it finds it, and ends well either way."""

    name: str
    first: str
    second: str


# A program that begins so makes system calls by number (x86_64, aarch64; None: no such call there) and tells which of
# them succeeded.
_CALLS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
is_arm = os.uname().machine == "aarch64"
done = []

def call(name, x86, arm, *arguments):
    number = arm if is_arm else x86
    if number is None:
        return -1
    ready = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    ready += [ctypes.c_long(0)] * (6 - len(ready))
    result = libc.syscall(ctypes.c_long(number), *ready)
    if result >= 0:
        done.append(name)
    return result

def tell():
    print("PWNED " + " ".join(done) if done else "refused")
"""

_SYSTEM_CALLS = (
    Hostile(
        "namespaces_new",
        "unshare with each flag, setns",
        _CALLS
        + """
for bit in (0x80, 0x100, 0x200, 0x400, 0x20000, 0x40000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000,
            0x40000000, 0x10020000):
    call(f"unshare({bit:#x})", 272, 97, bit)
for fd in range(3):
    call("setns", 308, 268, fd, 0)
tell()
""",
        "ok",
    ),
    Hostile(
        "clone_processes",
        "clone without CLONE_THREAD, with many other flags, also beyond 32 bits",
        _CALLS
        + """
chld = 17
for flags in (chld, 0, 0x8000 | chld, 0x10000000 | chld, 0x20000000 | chld, 0x40020000 | chld, 0x400 | 0x200 | chld,
              0x4000 | chld, 0x2000 | chld, 0x800 | chld, 0x1000 | chld, 0x80000000 | chld, (1 << 32) | chld,
              (1 << 48) | chld):
    if call(f"clone({flags:#x})", 56, 220, flags) == 0:
        print("PWNED in a child", flush=True)
        os._exit(0)
tell()
""",
        "ok",
    ),
    Hostile(
        "clone_thread_in_a_new_namespace",
        "a thread, which is allowed, in namespaces of its own, which are not",
        _CALLS
        + """
stack = ctypes.create_string_buffer(1 << 16)
top = ctypes.c_void_p((ctypes.addressof(stack) + (1 << 16)) & ~15)
thread = 0x10000 | 0x800 | 0x100
for bit in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
    if libc.clone(libc.pause, top, ctypes.c_int(thread | bit), None) > 0:
        done.append(hex(bit))
tell()
""",
        "ok",
    ),
    Hostile(
        "fork_and_vfork_by_number",
        "fork, vfork, clone3 with a full structure",
        _CALLS
        + """
class Arguments(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("flags", "pidfd", "child", "parent", "signal", "stack", "size",
                                                     "tls", "set_tid", "set_tid_size", "cgroup")]
given = Arguments(signal=17)
for name, x86, arm, arguments in (("fork", 57, None, ()), ("vfork", 58, None, ()),
                                  ("clone3", 435, 435, (ctypes.byref(given), 88))):
    if call(name, x86, arm, *arguments) == 0:
        print("PWNED in a child", flush=True)
        os._exit(0)
tell()
""",
        "ok",
    ),
    Hostile(
        "execute_by_descriptor",
        "execve and execveat of a shell, by path and by descriptor",
        _CALLS
        + """
words = (ctypes.c_char_p * 4)(b"sh", b"-c", b"echo PWNED", None)
none = (ctypes.c_char_p * 1)(None)
call("execve", 59, 221, b"/bin/sh", words, none)
call("execveat", 322, 281, -100, b"/bin/sh", words, none, 0)
fd = os.open("/bin/sh", os.O_RDONLY)
call("execveat(AT_EMPTY_PATH)", 322, 281, fd, b"", words, none, 0x1000)
tell()
""",
        "ok",
    ),
    Hostile(
        "kernel_programs",
        "io_uring, bpf, perf events, user faults: where kernels had their holes",
        _CALLS
        + """
room = ctypes.create_string_buffer(256)
call("io_uring_setup", 425, 425, 8, room)
call("io_uring_enter", 426, 426, 0, 0, 0, 0)
call("io_uring_register", 427, 427, 0, 0)
map_attributes = (ctypes.c_uint32 * 32)(2, 4, 4, 1)
call("bpf(MAP_CREATE)", 321, 280, 0, map_attributes, 128)
event = (ctypes.c_uint32 * 32)(1, 128)
call("perf_event_open", 298, 241, event, 0, -1, -1, 0)
call("userfaultfd", 323, 282, 0)
call("userfaultfd(USER_MODE_ONLY)", 323, 282, 1)
call("seccomp", 317, 277, 0, 0, 0)
call("landlock_create_ruleset", 444, 444, 0, 0, 1)
tell()
""",
        "ok",
    ),
    Hostile(
        "other_processes_memory",
        "ptrace, process_vm_writev, process_madvise, kcmp of the parent and of numbers around our own",
        _CALLS
        + """
word = ctypes.c_long(0)
pair = (ctypes.c_size_t * 2)(ctypes.addressof(word), 8)
own = os.getpid()
for pid in {1, 2, 3, os.getppid(), own - 2, own - 1, own + 1, own + 2} - {own, 0}:
    call("ptrace(ATTACH)", 101, 117, 16, pid)
    call("ptrace(SEIZE)", 101, 117, 0x4206, pid)
    if call("process_vm_readv", 310, 270, pid, pair, 1, pair, 1) <= 0:
        call("process_vm_writev", 311, 271, pid, pair, 1, pair, 1)
    call("kcmp", 312, 272, pid, pid, 0, 0, 0)
    call("move_pages", 279, 239, pid, 0, 0, 0, 0)
    call("get_robust_list", 274, 100, pid, pair, pair)
call("ptrace(TRACEME)", 101, 117, 0)
call("process_madvise", 440, 440, 0, pair, 1, 21)
tell()
""",
        "ok",
    ),
    Hostile(
        "processes_as_descriptors",
        "pidfd_open of every likely process, pidfd_getfd, pidfd_send_signal, process_mrelease",
        _CALLS
        + """
own = os.getpid()
for pid in {1, 2, 3, os.getppid(), own, own - 1, own + 1} - {0}:
    fd = call(f"pidfd_open({pid})", 434, 434, pid, 0)
    if fd >= 0:
        call("pidfd_getfd", 438, 438, fd, 3, 0)
        call("process_mrelease", 448, 448, fd, 0)
for fd in range(3):
    call("pidfd_getfd", 438, 438, fd, 0, 0)
    call("pidfd_send_signal", 424, 424, fd, 0, 0, 0)
tell()
""",
        "ok",
    ),
    Hostile(
        "keys",
        "keyrings are no namespace: add_key, request_key, keyctl",
        _CALLS
        + """
for ring in (-1, -2, -3, -4, -5):
    call("add_key", 248, 217, b"user", b"left", b"x", 1, ring)
    call("keyctl(GET_KEYRING_ID)", 250, 219, 0, ring, 1)
call("keyctl(JOIN_SESSION)", 250, 219, 1, 0)
call("request_key", 249, 218, b"user", b"left", 0, -3)
tell()
""",
        "ok",
    ),
    Hostile(
        "mounts",
        "mount, umount2, pivot_root, chroot, fsopen, open_tree, move_mount, mount_setattr",
        _CALLS
        + """
call("mount(tmpfs)", 165, 40, b"none", b"/tmp", b"tmpfs", 0, 0)
call("mount(remount)", 165, 40, b"none", b"/", 0, 32 | 4096, 0)
call("umount2", 166, 39, b"/tmp", 2)
call("pivot_root", 155, 41, b"/tmp", b"/tmp")
call("chroot", 161, 51, b"/usr")
call("fsopen", 430, 430, b"tmpfs", 0)
call("fspick", 433, 433, -100, b"/tmp", 0)
call("open_tree", 428, 428, -100, b"/usr", 1)
call("move_mount", 429, 429, -100, b"/usr", -100, b"/tmp", 0)
attributes = (ctypes.c_uint64 * 4)(0, 1, 0, 0)
call("mount_setattr", 442, 442, -100, b"/usr", 0, attributes, 32)
call("statmount", 457, 457, 0, 0, 0, 0)
tell()
""",
        "ok",
    ),
    Hostile(
        "file_handles",
        "open_by_handle_at with handles of inode 2, and those that name_to_handle_at gives",
        _CALLS
        + """
import struct
for kind in (1, 2, 0x81):
    handle = ctypes.create_string_buffer(struct.pack("Ii8s", 8, kind, struct.pack("II", 2, 0)), 136)
    for place in (0, -100):
        call("open_by_handle_at", 304, 265, place, handle, 0)
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0), 136)
    number = ctypes.c_int()
    call("name_to_handle_at", 303, 264, -100, b"/usr", handle, ctypes.byref(number), 0)
tell()
""",
        "ok",
    ),
    Hostile(
        "machine",
        "reboot, modules, kexec, swap, accounting, names, quotas, the kernel's log: harmless variants of each",
        _CALLS
        + """
call("reboot(CAD_OFF)", 169, 142, -18751827, 672274793, 0, 0)
call("init_module", 175, 105, b"", 0, b"")
call("finit_module", 313, 273, 0, b"", 0)
call("kexec_load", 246, 104, 0, 0, 0, 0)
call("swapon", 167, 224, b"/tmp/none", 0)
call("acct", 163, 89, 0)
call("sethostname", 170, 161, b"box", 3)
call("setdomainname", 171, 162, b"box", 3)
call("syslog(READ_ALL)", 103, 116, 3, ctypes.create_string_buffer(64), 64)
call("vhangup", 153, 58)
call("iopl", 172, None, 0)
call("ioperm", 173, None, 0, 1, 0)
call("quotactl", 179, 60, 0x80000100, 0, 0, 0)
tell()
""",
        "ok",
    ),
)

_RIGHTS = (
    Hostile(
        "clocks",
        "setting the clock, to the time that it has",
        _CALLS
        + """
import struct, time
now = struct.pack("qq", int(time.time()), 0)
call("settimeofday", 164, 170, now, 0)
call("clock_settime", 227, 112, 0, now)
call("adjtimex", 159, 171, ctypes.create_string_buffer(struct.pack("I", 1), 256))
call("clock_adjtime", 305, 266, 0, ctypes.create_string_buffer(struct.pack("I", 1), 256))
tell()
""",
        "ok",
    ),
    Hostile(
        "scheduling",
        "real time, processors, priorities and input/output classes of ourselves and of process 1",
        _CALLS
        + """
import struct
for pid in (0, 1, os.getppid()):
    call("sched_setscheduler(FIFO)", 144, 119, pid, 1, struct.pack("i", 50))
    call("sched_setscheduler(BATCH)", 144, 119, pid, 3, struct.pack("i", 0))
    call("sched_setparam", 142, 118, pid, struct.pack("i", 0))
    call("sched_setattr", 314, 274, pid, struct.pack("IIQiIQQQ", 48, 0, 0, -20, 0, 0, 0, 0), 0)
    call("sched_setaffinity", 203, 122, pid, 8, struct.pack("Q", 1))
    call("setpriority", 141, 140, 0, pid, -20)
    call("setpriority(lower)", 141, 140, 0, pid, 5)
    call("ioprio_set", 251, 30, 1, pid, 1 << 13)
tell()
""",
        "ok",
    ),
    Hostile(
        "limits_of_others",
        "prlimit of process 1, of the parent, of ourselves by number: setting, and getting",
        _CALLS
        + """
import struct
new, old = struct.pack("QQ", 1 << 40, 1 << 40), ctypes.create_string_buffer(16)
for pid in {1, os.getppid(), os.getpid() - 1, os.getpid() + 1} - {0}:
    call("prlimit(set)", 302, 261, pid, 9, new, 0)
    call("prlimit(get)", 302, 261, pid, 9, 0, old)
call("prlimit(own, by number)", 302, 261, os.getpid(), 9, new, 0)
tell()
""",
        "ok",
    ),
    Hostile(
        "raise_own_limits",
        "setrlimit upwards, each way; in what is then there no more room",
        """
import resource
raised = []
for name in sorted(name for name in dir(resource) if name.startswith("RLIMIT_")):
    which = getattr(resource, name)
    soft, hard = resource.getrlimit(which)
    if hard == resource.RLIM_INFINITY:
        continue
    for wanted in (hard + 1, hard * 2 + 1, resource.RLIM_INFINITY):
        for how in (resource.setrlimit, lambda which, value: resource.prlimit(0, which, value)):
            try:
                how(which, (wanted, wanted))
                raised.append(name)
            except (ValueError, OSError):
                pass
for name in ("AS", "CPU", "FSIZE", "NOFILE", "NPROC", "STACK", "CORE", "MEMLOCK"):
    if resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1] == resource.RLIM_INFINITY:
        raised.append("no limit of " + name)
print("PWNED", raised) if raised else print("held")
""",
        "ok",
    ),
    Hostile(
        "become_another_user",
        "setuid and its relatives to root, to nobody, to the next user; groups",
        _CALLS
        + """
import struct
for user in (0, 1, 1000, 65534, os.getuid() + 1):
    call("setuid", 105, 146, user)
    call("setgid", 106, 144, user)
    call("setreuid", 113, 145, user, user)
    call("setresuid", 117, 147, user, user, user)
    call("setresgid", 119, 149, user, user, user)
    call("setfsuid", 122, 151, user)
    call("setgroups", 116, 159, 1, struct.pack("I", user))
call("setgroups(none)", 116, 159, 0, 0)
tell()
""",
        "ok",
    ),
    Hostile(
        "gain_capabilities",
        "capset to everything, ambient ones, security bits, and what capget then tells",
        _CALLS
        + """
import struct
header = struct.pack("Ii", 0x20080522, 0)
full = struct.pack("6I", *[0xFFFFFFFF] * 6)
call("capset", 126, 91, header, full)
for option, arguments in ((47, (2, 21)), (28, (0,)), (8, (1,)), (4, (1,)), (38, (0,)), (36, (1,)), (1, (9,)),
                          (24, (1,)), (0x59616D61, (-1,)), (26, (2,)), (35, (1, 0)), (62, (1, 0, 0)), (65, (1,))):
    call(f"prctl({option})", 157, 167, option, *arguments)
held = ctypes.create_string_buffer(24)
libc.capget(ctypes.create_string_buffer(header, 8), held)
effective, permitted, inheritable, *high = struct.unpack("6I", held.raw)
if effective | permitted | inheritable | high[0] | high[1]:
    done.append("has capabilities")
tell()
""",
        "ok",
    ),
    Hostile(
        "memory_outside_its_limit",
        "memfd_create, memfd_secret, mlock, shmget, remap_file_pages: memory that address space does not count",
        _CALLS
        + """
call("memfd_create", 319, 279, b"x", 0)
call("memfd_secret", 447, 447, 0)
call("mlockall", 151, 230, 3)
call("mlock", 149, 228, id(done) & ~4095, 4096)
call("mlock2", 325, 284, id(done) & ~4095, 4096, 1)
call("shmget", 29, 194, 0, 1 << 30, 0o1600)
call("mq_open", 240, 180, b"left", 0o102, 0o600, 0)
call("set_mempolicy", 238, 237, 1, 0, 0)
call("mbind", 237, 235, id(done) & ~4095, 4096, 0, 0, 0, 0)
call("migrate_pages", 256, 238, 0, 64, b"\\1" + bytes(7), b"\\2" + bytes(7))
call("splice", 275, 76, 0, 0, 1, 0, 1, 0)
call("vmsplice", 278, 75, 1, 0, 0, 0)
tell()
""",
        "ok",
    ),
    Hostile(
        "watching_files",
        "inotify, fanotify, dnotify, leases: what watches others",
        _CALLS
        + """
import fcntl
call("inotify_init", 253, None)
call("inotify_init1", 294, 26, 0)
call("fanotify_init", 300, 262, 0, 0)
with open("/dev/null") as null, open(os.__file__) as library:
    folder = os.open("/usr", os.O_RDONLY)
    for name, file in (("null", null.fileno()), ("library", library.fileno()), ("folder", folder), ("stdin", 0)):
        for command, value in ((1024, 0), (1024, 1), (1026, 2), (8, os.getppid()), (10, 9), (15, os.getppid())):
            try:
                fcntl.fcntl(file, command, value)
                done.append(f"F_{command} of {name}")
            except OSError:
                pass
tell()
""",
        "ok",
    ),
    Hostile(
        "kind_of_process",
        "personality, modify_ldt, arch_prctl of another ABI, vhangup, uselib",
        _CALLS
        + """
call("personality(32 bit)", 135, 92, 8)
call("personality(no randomising)", 135, 92, 0x40000)
call("modify_ldt", 154, None, 1, ctypes.create_string_buffer(16), 16)
call("uselib", 134, None, b"/lib/none")
call("ustat", 136, None, 0, 0)
call("sysfs", 139, None, 3)
call("lookup_dcookie", 212, 18, 0, 0, 0)
call("set_thread_area", 205, None, ctypes.create_string_buffer(16))
call("kernel signals of others", 129, 138, 1, 9, ctypes.create_string_buffer(128))
tell()
""",
        "ok",
    ),
    Hostile(
        "call_of_x32",
        "getpid by its number in the x32 ABI: filters that look at the number alone let it pass",
        _CALLS
        + """
call("x32", 39 | 0x40000000, 172 | 0x40000000)
print("PWNED" if done else "PWNED: the call was not the end of it")
""",
        "rte",
    ),
    Hostile(
        "call_of_x32_unshare",
        "unshare by its number in the x32 ABI",
        _CALLS
        + """
call("x32", 272 | 0x40000000, 97 | 0x40000000, 0x10000000)
print("PWNED: the call was not the end of it")
""",
        "rte",
    ),
    Hostile(
        "call_of_32_bits",
        "int 0x80: the table of calls of 32 bit programs, in which 2 is fork",
        """
import ctypes, mmap, os
if os.uname().machine != "x86_64":
    os.abort()
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b8 02000000 cd80 c3"))
made = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
print("PWNED", made, flush=True)
os._exit(0)
""",
        "rte",
    ),
)

# Where what is shared with the host lies, wherever that is: the interpreter, its library, the system's.
_SHARED = """
import json, os, sys
library = os.path.dirname(os.path.dirname(json.__file__))
shared = [json.__file__, library, library + "/json", sys.base_prefix, "/usr", "/usr/bin", "/usr/bin/env", "/bin/sh",
          "/", "/dev/null", "/dev", os.path.realpath(sys.executable or "/usr/bin/python3")]
done = []

def attempt(what, function, *arguments, **named):
    try:
        function(*arguments, **named)
        done.append(what)
    except (OSError, ValueError, NotImplementedError):
        pass

def tell():
    print("PWNED", done) if done else print("refused")
"""

_FILES = (
    Hostile(
        "modes_of_shared_files",
        "chmod of the interpreter, its library and the system's folders, to the mode that they have",
        _SHARED
        + """
for path in shared:
    if os.path.exists(path):
        mode = os.stat(path).st_mode & 0o7777
        attempt("chmod " + path, os.chmod, path, mode)
        attempt("fchmodat " + path, os.chmod, path, mode, dir_fd=os.open("/usr", os.O_RDONLY))
        try:
            fd = os.open(path, os.O_RDONLY)
        except OSError:
            continue
        attempt("fchmod " + path, os.fchmod, fd, mode)
        os.close(fd)
tell()
""",
        "ok",
    ),
    Hostile(
        "times_of_shared_files",
        "utime of the same, to the times that they have",
        _SHARED
        + """
for path in shared:
    if os.path.exists(path):
        found = os.stat(path)
        times = (found.st_atime_ns, found.st_mtime_ns)
        attempt("utime " + path, os.utime, path, ns=times)
        attempt("utime of the link " + path, os.utime, path, ns=times, follow_symlinks=False)
        try:
            fd = os.open(path, os.O_RDONLY)
        except OSError:
            continue
        attempt("futimens " + path, os.utime, fd, ns=times)
        os.close(fd)
tell()
""",
        "ok",
    ),
    Hostile(
        "modes_of_files_one_may_not_read",
        "chmod and utime of files out of sight: the host's settings, homes, devices",
        _SHARED
        + """
for path in ("/etc/passwd", "/etc/shadow", "/etc", "/home", "/root", "/var", "/tmp/..", "/var/tmp", "/dev/shm", "/proc",
             "/sys", "/opt", "/srv", "/run", "/boot", "/mnt", os.path.dirname(sys.base_prefix)):
    try:
        found = os.stat(path)
    except OSError:
        continue
    attempt("chmod " + path, os.chmod, path, found.st_mode & 0o7777)
    attempt("utime " + path, os.utime, path, ns=(found.st_atime_ns, found.st_mtime_ns))
tell()
""",
        "ok",
    ),
    Hostile(
        "owners_of_shared_files",
        "chown, lchown, fchown, fchownat, to nobody in particular and to ourselves",
        _SHARED
        + """
for path in shared:
    for user in (-1, os.getuid()):
        attempt("chown " + path, os.chown, path, user, -1)
        attempt("lchown " + path, os.lchown, path, user, -1)
        attempt("fchownat " + path, os.chown, path, user, -1, follow_symlinks=False)
fd = os.open(json.__file__, os.O_RDONLY)
attempt("fchown", os.fchown, fd, -1, -1)
tell()
""",
        "ok",
    ),
    Hostile(
        "write_shared_files",
        "open for writing, truncate, O_TMPFILE, new files and folders among the library's",
        _SHARED
        + """
attempt("truncate", os.truncate, json.__file__, os.stat(json.__file__).st_size)
for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND):
    attempt(f"open {flags:#o}", os.open, library + "/abc.py", flags)
for folder in shared:
    if os.path.isdir(folder):
        attempt("O_TMPFILE in " + folder, os.open, folder, os.O_TMPFILE | os.O_RDWR)
        attempt("mkdir in " + folder, os.mkdir, folder + "/left")
        attempt("create in " + folder, os.open, folder + "/left.py", os.O_CREAT | os.O_WRONLY)
        attempt("mkfifo in " + folder, os.mkfifo, folder + "/left.fifo")
        attempt("symlink in " + folder, os.symlink, "/", folder + "/left.link")
attempt("__pycache__", os.mkdir, os.path.dirname(json.__file__) + "/__pycache__/left")
tell()
""",
        "ok",
    ),
    Hostile(
        "links_to_shared_files",
        "hard links to a library file, renames and deletions there",
        _SHARED
        + """
for target in ("/tmp/left", "left", library + "/left.py"):
    attempt("link to " + target, os.link, json.__file__, target)
    attempt("link by descriptor to " + target, os.link, json.__file__, target, follow_symlinks=True)
attempt("rename", os.rename, library + "/antigravity.py", library + "/left.py")
attempt("rename away", os.rename, library + "/antigravity.py", "/tmp/left.py")
attempt("unlink", os.unlink, library + "/antigravity.py")
attempt("rmdir", os.rmdir, library + "/__phello__")
tell()
""",
        "ok",
    ),
    Hostile(
        "map_shared_files_to_write",
        "a shared writable mapping of a library file, and mprotect after the fact",
        _SHARED
        + """
import ctypes, mmap
fd = os.open(json.__file__, os.O_RDONLY)
attempt("map", mmap.mmap, fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
place = libc.mmap(None, ctypes.c_size_t(4096), 1, 1, fd, ctypes.c_long(0))
if libc.mprotect(ctypes.c_void_p(place), ctypes.c_size_t(4096), 3) == 0:
    done.append("mprotect")
attempt("fallocate", os.posix_fallocate, fd, 0, 1)
attempt("ftruncate", os.ftruncate, fd, 0)
attempt("copy_file_range", os.copy_file_range, os.open("/dev/null", os.O_RDONLY), fd, 0)
tell()
""",
        "ok",
    ),
    Hostile(
        "locks_on_shared_files",
        "flock, and fcntl's locks by process and by file, on files that others can open",
        _SHARED
        + """
import fcntl, struct
for path in ("/dev/null", json.__file__, "/usr"):
    fd = os.open(path, os.O_RDONLY)
    attempt("flock " + path, fcntl.flock, fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    for command in (6, 7, 37, 38):  # F_SETLK, F_SETLKW and those that belong to the open file
        request = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)
        attempt(f"fcntl {command} {path}", fcntl.fcntl, fd, command, request)
    attempt("lockf " + path, fcntl.lockf, fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
tell()
""",
        "ok",
    ),
    Hostile(
        "folders_of_the_host",
        "lists and files of /sys, /proc, /home, /var, /run, /boot, /opt, of the interpreter's parents",
        _SHARED
        + """
def has(path):
    return bool(os.listdir(path))

for path in ("/sys", "/sys/kernel", "/proc", "/proc/self", "/proc/self/fd", "/home", "/var", "/var/log", "/var/tmp",
             "/run", "/boot", "/opt", "/mnt", "/media", "/srv", "/dev/shm", "/dev/pts", "/lost+found"):
    try:
        if not sys.base_prefix.startswith(path + "/") and has(path):
            done.append(path)
    except OSError:
        pass
way = sys.base_prefix.strip("/").split("/")
for depth in range(1, len(way) if way[0] != "usr" else 0):  # what leads to the interpreter leads to nothing else
    folder = "/" + "/".join(way[:depth])
    try:
        if set(os.listdir(folder)) - {way[depth], ".cache", "home"}:  # there: headers for C++, compiled
            done.append(folder)
    except OSError:
        pass
tell()
""",
        "ok",
    ),
    Hostile(
        "secrets_of_processes",
        "environment, memory, descriptors and mounts as /proc and /dev tell them",
        _SHARED
        + """
def content(path):
    with open(path, "rb") as file:
        if not file.read(1):
            raise OSError("empty")

for name in ("environ", "cmdline", "maps", "mem", "mountinfo", "fd/0", "root/etc/passwd", "cwd/etc/passwd", "status"):
    for pid in ("self", "thread-self", "1", str(os.getppid())):
        attempt(f"/proc/{pid}/{name}", content, f"/proc/{pid}/{name}")
for path in ("/proc/kcore", "/proc/kallsyms", "/proc/keys", "/dev/mem", "/dev/kmsg", "/dev/tty", "/dev/console",
             "/dev/ptmx", "/dev/fuse", "/dev/kvm", "/dev/vsock", "/dev/vda", "/dev/sda", "/dev/loop-control",
             "/dev/net/tun", "/dev/fd/3"):
    attempt(path, os.open, path, os.O_RDONLY)
    attempt(path, os.open, path, os.O_WRONLY)
tell()
""",
        "ok",
    ),
    Hostile(
        "settings_of_the_host",
        "/etc, keys, the resolver, and what a home has",
        _SHARED
        + """
def content(path):
    with open(path, "rb") as file:
        file.read(1)

for path in ("/etc/passwd", "/etc/shadow", "/etc/hosts", "/etc/resolv.conf", "/etc/machine-id", "/etc/hostname",
             "/etc/ssh/ssh_host_ed25519_key", "/root/.bashrc", "/root/.ssh/id_ed25519", "/root/.netrc",
             "/root" + "/.gitconfig", "/home/" + "user/.bashrc", "/var/lib/dpkg/status", "/run/secrets", "/.dockerenv",
             "/var/run/docker.sock"):
    attempt(path, content, path)
tell()
""",
        "ok",
    ),
    Hostile(
        "links_out_of_tmp",
        "symbolic links, loops and .. by descriptors, to leave what is there",
        _SHARED
        + """
def look(path, fd):
    os.close(os.open(path, os.O_RDONLY, dir_fd=fd))

fd = os.open("/usr", os.O_RDONLY)
for depth in range(1, 12):
    for name in ("etc/passwd", "etc/hostname", "proc/version", "root/.bashrc", "home/user", "var/log"):
        attempt("../" * depth + name, look, "../" * depth + name, fd)
try:
    os.symlink("/../../../../proc/1/root", "/tmp/way")
    attempt("through a link", os.listdir, "/tmp/way")
except OSError:
    pass
attempt("fchdir", lambda: (os.fchdir(fd), os.chdir("../.."), os.stat("etc/passwd")))
tell()
""",
        "ok",
    ),
)

_NETWORK = (
    Hostile(
        "sockets_of_every_family",
        "socket of each family and type: nothing but pairs of Unix sockets is made",
        """
import socket
made = []
for family in range(1, 46):
    for kind in (1, 2, 3, 4, 5, 6, 10):
        for protocol in (0, 1, 2, 9, 15, 16):
            try:
                socket.socket(family, kind, protocol)
                made.append((family, kind, protocol))
            except (OSError, ValueError):
                pass
print("PWNED", made[:5]) if made else print("refused")
""",
        "ok",
    ),
    Hostile(
        "listen",
        "a server on each address of this machine, on TCP, UDP, and on a Unix path",
        """
import socket, socketserver, http.server
made = []
for family, address in ((socket.AF_INET, ("0.0.0.0", 0)), (socket.AF_INET6, ("::1", 0)), (socket.AF_UNIX, "/tmp/left"),
                        (socket.AF_UNIX, "\\0left"), (socket.AF_UNIX, "")):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            server = socket.socket(family, kind)
            server.bind(address)
            made.append(address)
        except OSError:
            pass
try:
    http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    made.append("http")
except OSError:
    pass
print("PWNED", made) if made else print("refused")
""",
        "ok",
    ),
    Hostile(
        "pairs_of_sockets_as_a_way_out",
        "connect, bind and listen with an address, on one of a pair",
        _CALLS
        + """
import socket, struct
one, other = socket.socketpair()
packet, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
internet = struct.pack("=HH4s8x", 2, 0x3500, bytes((1, 1, 1, 1)))
for name in (b"\\1\\0/dev/log\\0", b"\\1\\0/run/systemd/journal/socket\\0", b"\\1\\0\\0left", internet):
    for end in (one, packet):
        call("connect", 42, 203, end.fileno(), name, len(name))
        call("bind", 49, 200, end.fileno(), name, len(name))
        call("listen", 50, 201, end.fileno(), 1)
        call("accept4", 288, 242, end.fileno(), 0, 0, 0)
for family in (2, 10, 16, 38, 40):
    try:
        socket.socketpair(family)
        done.append(f"a pair of family {family}")
    except OSError:
        pass
tell()
""",
        "ok",
    ),
    Hostile(
        "names_of_hosts",
        "the resolver, the machine's name and its interfaces",
        """
import socket, urllib.request
found = []
for what in (lambda: socket.getaddrinfo("example.com", 80), lambda: socket.gethostbyname("localhost.localdomain"),
             lambda: urllib.request.urlopen("http://example.com", timeout=1).read(), lambda: socket.if_nameindex()):
    try:
        found.append(what())
    except Exception:
        pass
print("PWNED", found) if found else print("refused")
""",
        "ok",
    ),
    Hostile(
        "ioctls",
        "keystrokes into a terminal, its owner, and signals to the owner of a descriptor",
        _CALLS
        + """
import fcntl, socket, struct
one, other = socket.socketpair()
places = [0, 1, 2, one.fileno(), os.open("/dev/null", os.O_RDWR), os.open("/dev/urandom", os.O_RDWR)]
for fd in places:
    for command in (0x5412, 0x540E, 0x5422, 0x5452, 0x8901, 0x8902, 0x8905, 0x8912, 0x8927, 0x5414, 0x541D, 0x5203,
                    0x40045201, 0x40085203, 0x5204, 0x5206, 0x4004667F, 0x80086601, 0x40086602, 0xC0045878):
        for argument in (struct.pack("i", os.getppid()) + bytes(60), 0):
            try:
                fcntl.ioctl(fd, command, argument)
                done.append(f"{command:#x} of {fd}")
            except OSError:
                pass
tell()
""",
        "ok",
    ),
)

_PROCESSES = (
    Hostile(
        "processes_by_the_library",
        "multiprocessing, concurrent.futures, subprocess, os.system, popen, posix_spawn, pty.fork, spawnv",
        """
import concurrent.futures, multiprocessing, os, pty, subprocess
made = []
def work():
    return 1
ways = {
    "Process": lambda: multiprocessing.get_context("fork").Process(target=work).start(),
    "spawn": lambda: multiprocessing.get_context("spawn").Process(target=work).start(),
    "forkserver": lambda: multiprocessing.get_context("forkserver").Process(target=work).start(),
    "Pool": lambda: multiprocessing.get_context("fork").Pool(1),
    "executor": lambda: concurrent.futures.ProcessPoolExecutor(1).submit(work).result(1),
    "system": lambda: os.system("true") and 1 / 0,
    "popen": lambda: os.popen("true").read(),
    "posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "posix_spawnp": lambda: os.posix_spawnp("true", ["true"], {}),
    "spawnv": lambda: os.spawnv(os.P_WAIT, "/bin/true", ["true"]) and 1 / 0,
    "forkpty": os.forkpty,
    "openpty": os.openpty,
    "pty.spawn": lambda: pty.spawn("true"),
    "run": lambda: subprocess.run(["true"], check=True),
    "shell": lambda: subprocess.check_output("true", shell=True),
    "new session": lambda: subprocess.Popen(["/bin/true"], start_new_session=True),
    "no vfork": lambda: subprocess.Popen(["/bin/true"], preexec_fn=int),
}
for name, way in ways.items():
    try:
        way()
        made.append(name)
    except Exception:
        pass
print("PWNED", made, flush=True) if made else print("refused", flush=True)
os._exit(0)
""",
        "ok",
    ),
    Hostile(
        "signals_to_everyone",
        "kill of process 1, of all, of groups, of numbers around our own, by each call there is",
        _CALLS
        + """
import signal
own = os.getpid()
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
for pid in [1, 2, 3, 4, os.getppid(), -2, *range(own - 40, own), *range(own + 1, own + 40)]:
    if pid in (0, own):
        continue
    for number in (0, 10, 18):
        call(f"kill({pid}, {number})", 62, 129, pid, number)
        call(f"tkill({pid}, {number})", 200, 130, pid, number)
        call(f"tgkill({pid}, {number})", 234, 131, pid, pid, number)
        call(f"rt_sigqueueinfo({pid}, {number})", 129, 138, pid, number, ctypes.create_string_buffer(128))
call("kill(-1)", 62, 129, -1, 10)
print("PWNED", done) if [name for name in done if "(1," not in name] else print("refused")
""",
        "ok",
    ),
    Hostile(
        "end_process_1",
        "each signal to process 1 and to the parent; whoever is there goes on",
        """
import os
for number in range(1, 65):
    for pid in (1, os.getppid()):
        try:
            if pid:
                os.kill(pid, number)
        except OSError:
            pass
print("still here")
""",
        "ok",
    ),
    Hostile(
        "end_own_group",
        "SIGKILL to process group 0: our own, of which nobody else is part",
        """
import os
os.kill(0, 9)
print("PWNED: the call was not the end of it")
""",
        "rte",
    ),
    Hostile(
        "session_and_group",
        "setsid, setpgid, joining the groups and sessions of others, a terminal",
        _CALLS
        + """
call("setsid", 112, 157)
for group in {0, 1, os.getppid(), os.getpid()}:
    call(f"setpgid({group})", 109, 154, 0, group)
    call("setpgid of another", 109, 154, group, 0)
tell()
""",
        "ok",
    ),
    Hostile(
        "wait_for_others",
        "wait4 and waitid of anyone: a test has no children",
        """
import os
found = []
for kind, pid in ((os.P_ALL, 0), (os.P_PID, 1), (os.P_PID, os.getppid()), (os.P_PGID, 0)):
    try:
        found.append(os.waitid(kind, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))
    except OSError:
        pass
for pid in (-1, 0, 1):
    try:
        found.append(os.waitpid(pid, os.WNOHANG))
    except OSError:
        pass
print("PWNED", found) if found else print("none")
""",
        "ok",
    ),
    Hostile("ended_by_sigterm", "SIGTERM to itself", "import os\nos.kill(os.getpid(), 15)\nprint('PWNED')\n", "rte"),
    Hostile("aborted", "os.abort", "import os\nos.abort()\n", "rte"),
    Hostile(
        "stopped",
        "SIGSTOP to itself: nobody starts it again, the clock ends it",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nprint('PWNED')\n",
        "tle",
    ),
)

_FILES_AND_MEMORY = (
    Hostile(
        "sparse_terabyte",
        "a file of a terabyte by truncate, seek and fallocate; what the limit on files leaves of it",
        """
import os
most = 0
for path in ("/tmp/left", "left"):
    for way in (lambda fd: os.ftruncate(fd, 1 << 40), lambda fd: os.pwrite(fd, b"x", 1 << 40),
                lambda fd: os.posix_fallocate(fd, 0, 1 << 40), lambda fd: os.ftruncate(fd, 1 << 25)):
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT)
        except OSError:
            continue
        try:
            way(fd)
        except OSError:
            pass
        most = max(most, os.fstat(fd).st_size)
print("PWNED" if most > 17 << 20 else "bounded", most)
""",
        "ok",
    ),
    Hostile(
        "given_files_grown",
        "truncate, fallocate and seals on the files that are stdin and stderr",
        """
import fcntl, os
for fd in (0, 2):
    for way in (lambda: os.ftruncate(fd, 1 << 40), lambda: os.posix_fallocate(fd, 0, 1 << 40),
                lambda: os.pwrite(fd, b"x", 1 << 35), lambda: os.ftruncate(fd, 1 << 25)):
        try:
            way()
        except OSError:
            pass
    for command, value in ((1033, 1), (1033, 2), (1033, 8), (1031, 1 << 20)):
        try:
            fcntl.fcntl(fd, command, value)
            print("PWNED", fd, command, value)
        except OSError:
            pass
print("PWNED" if max(os.fstat(fd).st_size for fd in (0, 2)) > 17 << 20 else "bounded")
""",
        "ok",
    ),
    Hostile(
        "many_small_mappings",
        "mappings of a page each, to the limit of address space and no further",
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
mmap, failed, count = libc.mmap, ctypes.c_void_p(-1).value, 0
while count < 200_000 and mmap(None, 4096, 1 + 2 * (count % 2), 0x22, -1, 0) != failed:
    count += 1
libc.printf(b"PWNED\\n" if count > 131_072 else b"bounded\\n")
libc.fflush(None)
libc._exit(0)
""",
        "ok",
    ),
    Hostile(
        "space_without_reserve",
        "a terabyte of address space, unreadable, without reserve, by mmap and mremap",
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
size, failed = ctypes.c_size_t, ctypes.c_void_p(-1).value
made = []
for protection in (0, 3):
    for flags in (0x22, 0x4022, 0x21, 0x40022 | 0x4000, 0x20022):
        if libc.mmap(None, size(1 << 40), protection, flags, -1, ctypes.c_long(0)) != failed:
            made.append((protection, flags))
place = libc.mmap(None, size(4096), 3, 0x22, -1, ctypes.c_long(0))
if libc.mremap(ctypes.c_void_p(place), size(4096), size(1 << 40), 1) != failed:
    made.append("mremap")
print("PWNED", made) if made else print("refused")
""",
        "ok",
    ),
    Hostile(
        "open_files",
        "descriptors without end: files, pipes, pairs, and ever higher numbers",
        """
import fcntl, os
kept = []
for way in (lambda: [os.open("/dev/null", os.O_RDONLY)], os.pipe, lambda: [fcntl.fcntl(0, fcntl.F_DUPFD, 0)],
            lambda: [os.dup2(0, 4000)], lambda: [fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 1000)]):
    try:
        while len(kept) < 5000:
            kept += way()
    except (OSError, ValueError):
        pass
print("PWNED" if len(kept) > 64 else "bounded", flush=True)
os._exit(0)
""",
        "ok",
    ),
    Hostile(
        "files_in_flight",
        "descriptors sent over a pair and closed, so that they count nowhere",
        """
import array, os, socket
sent = 0
pairs = [socket.socketpair() for _ in range(8)]
for one, _ in pairs:
    one.setblocking(False)
try:
    for one, _ in pairs:
        for _ in range(2000):
            fds = os.pipe()
            data = array.array("i", list(fds) * 30)
            try:
                one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, data)])
                sent += len(data)
            except BlockingIOError:
                break
            finally:
                os.close(fds[0])
                os.close(fds[1])
except OSError as refused:
    print(type(refused).__name__)
print("PWNED" if sent > 1000 else "bounded", sent)
""",
        "ok",
    ),
    Hostile(
        "socket_buffers",
        "buffers of pairs of sockets, made as large as they get, and filled",
        """
import socket
total, kept = 0, []
try:
    while True:
        pair = socket.socketpair()
        kept.append(pair)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF, 32, 33):
            try:
                pair[0].setsockopt(socket.SOL_SOCKET, option, 1 << 30)
            except OSError:
                pass
        pair[0].setblocking(False)
        try:
            while total < 1 << 30:
                total += pair[0].send(bytes(1 << 16))
        except BlockingIOError:
            pass
except OSError:
    pass
print("PWNED" if total > 512 << 20 else "bounded")
""",
        "ok",
    ),
    Hostile(
        "many_timers",
        "a hundred thousand timers of the kernel",
        _CALLS
        + """
import struct
number, count = ctypes.c_int(), 0
event = ctypes.create_string_buffer(struct.pack("qii", 0, 10, 1), 64)
while count < 100_000 and call("timer_create", 222, 107, 1, event, ctypes.byref(number)) >= 0:
    count += 1
print("PWNED" if count > 1000 else "bounded", count)
""",
        "ok",
    ),
    Hostile(
        "queued_signals",
        "a hundred thousand real time signals, queued to itself and blocked",
        _CALLS
        + """
import signal, struct
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
count = 0
information = ctypes.create_string_buffer(struct.pack("iii", 40, 0, -1), 128)
while count < 100_000 and call("queue", 129, 138, os.getpid(), 40, information) >= 0:
    count += 1
print("PWNED" if count > 1000 else "bounded", count)
""",
        "ok",
    ),
    Hostile(
        "threads_with_small_stacks",
        "more threads than are allowed, in little memory",
        """
import _thread, os, time
_thread.stack_size(32768)
count = 0
try:
    while count < 200:
        _thread.start_new_thread(time.sleep, (30,))
        count += 1
except RuntimeError:
    pass
print("PWNED" if count > 190 else "bounded", count, flush=True)
os._exit(0)
""",
        "ok",
    ),
    Hostile(
        "threads_by_number",
        "the same by clone, without the library",
        _CALLS
        + """
count = 0
for _ in range(200):
    stack = ctypes.create_string_buffer(16384)
    top = ctypes.c_void_p((ctypes.addressof(stack) + 16384) & ~15)
    done.append(stack)
    if libc.clone(libc.pause, top, ctypes.c_int(0x10F00), None) <= 0:
        break
    count += 1
print("PWNED" if count > 190 else "bounded", count, flush=True)
os._exit(0)
""",
        "ok",
    ),
)

_TIME_AND_OUTPUT = (
    Hostile(
        "regular_expression",
        "one that backtracks without end, inside a single call of C",
        'import re\nre.match(r"(a|a)*(a+)+$", "a" * 60 + "b")\n',
        "tle",
    ),
    Hostile(
        "integer_to_text",
        "the digits of an integer of ten million bits, inside a single call of C",
        "import sys\nsys.set_int_max_str_digits(0)\nlen(str((1 << 40_000_000) - 1))\n",
        "tle",
    ),
    Hostile(
        "sigxcpu_ignored",
        "ignores the kernel's own warning of the limit, raises its soft limit, spins",
        """
import resource, signal
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_CPU, (resource.getrlimit(resource.RLIMIT_CPU)[1],) * 2)
while True:
    pass
""",
        "tle",
    ),
    Hostile(
        "threads_that_share_the_work",
        "eight threads that compute outside of the interpreter's lock: time is that of all",
        """
import hashlib, threading
for _ in range(8):
    threading.Thread(target=hashlib.pbkdf2_hmac, args=("sha512", b"x", b"y", 1 << 30)).start()
""",
        "tle",
    ),
    Hostile(
        "thread_that_never_ends",
        "the main thread ends, another that is no daemon spins",
        """
import threading
def spin():
    while True:
        pass
threading.Thread(target=spin).start()
""",
        "tle",
    ),
    Hostile(
        "exit_function_that_never_ends",
        "atexit spins, after sys.exit(0)",
        """
import atexit, sys
def spin():
    while True:
        pass
atexit.register(spin)
sys.exit(0)
""",
        "tle",
    ),
    Hostile(
        "destructor_that_never_ends",
        "__del__ of a global spins, when the interpreter lets go of it",
        """
class Last:
    def __del__(self):
        while True:
            pass
last = Last()
""",
        "tle",
    ),
    Hostile(
        "storm_of_signals",
        "a timer that interrupts every 50 microseconds, handlers that swallow what is raised",
        """
import signal
signal.signal(signal.SIGALRM, lambda *_: None)
signal.signal(signal.SIGVTALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 5e-5, 5e-5)
signal.setitimer(signal.ITIMER_VIRTUAL, 5e-5, 5e-5)
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
""",
        "tle",
    ),
    Hostile(
        "deadlock",
        "two threads, each with the lock that the other waits for: only the clock on the wall ends it",
        """
import threading
one, other, both = threading.Lock(), threading.Lock(), threading.Barrier(2)
def take(first, second):
    with first:
        both.wait()
        with second:
            print("PWNED")
threading.Thread(target=take, args=(one, other)).start()
take(other, one)
""",
        "tle",
    ),
    Hostile(
        "output_after_the_end",
        "a thread goes on printing after the main thread has ended",
        """
import sys, threading
def talk():
    while True:
        sys.stdout.write("x" * 65536)
threading.Thread(target=talk).start()
""",
        "ole",
    ),
    Hostile(
        "output_at_a_distance",
        "stdout made larger than it may be without a byte written to it",
        "import os\nos.ftruncate(1, (16 << 20) + 1)\n",
        "ole",
    ),
    Hostile(
        "output_taken_back",
        "stdout filled again and again, and emptied each time: no more than its limit is ever there",
        """
import os
most = 0
for _ in range(20):
    try:
        while True:
            os.write(1, bytes(1 << 20))
    except OSError:
        most = max(most, os.fstat(1).st_size)
    os.ftruncate(1, 0)
    os.lseek(1, 0, 0)
print("PWNED" if most > 17 << 20 else "bounded")
""",
        "ok",
    ),
)

_INTERPRETER = (
    Hostile(
        "deep_recursion",
        "recursion without end through C, its limit lifted",
        """
import sys
sys.setrecursionlimit(10**9)
class Endless:
    def __repr__(self):
        return repr([self])
repr(Endless())
""",
        "rte",
    ),
    Hostile(
        "recursion_in_threads",
        "the same in a thread with a stack as large as can be asked for",
        """
import sys, threading
sys.setrecursionlimit(10**9)
try:
    threading.stack_size(1 << 40)
    print("PWNED" if threading.Thread(target=print).start() is None else "")
except (RuntimeError, ValueError, MemoryError, OverflowError):
    threading.stack_size(64 << 20)
def deeper(x):
    return sorted([x], key=deeper)
threading.Thread(target=deeper, args=(1,)).start()
""",
        "rte",
    ),
    Hostile(
        "compressed_zeros",
        "a few kilobytes that decompress to six gigabytes",
        """
import gzip
member, taken = gzip.compress(bytes(1 << 24), 1), bytes(300 << 20)  # so that little is left, and soon used up
gzip.decompress(member * 400)
print("PWNED")
""",
        "rte",
    ),
    Hostile(
        "pickle",
        "one that calls: what it calls is refused as it is everywhere; then one that allocates",
        r"""
import pickle
for code in (b"cos\nsystem\n(S'echo PWNED'\ntR.", b"cposix\nfork\n(tR.", b"csubprocess\ncheck_output\n(S'true'\ntR."):
    try:
        if pickle.loads(code) not in (-1, 32512, 65280):
            print("PWNED", code)
    except Exception:
        pass
pickle.loads(b"Nr\xff\xff\xff\x7f.")
print("PWNED")
""",
        "rte",
    ),
    Hostile(
        "doubling",
        "a list twice as long each time",
        "x = list(range(1000))\nwhile True:\n    x = x * 2\n",
        "rte",
    ),
    Hostile(
        "interpreter_broken",
        "reference counts, code and types overwritten through ctypes",
        """
import ctypes
for place in (id(None), id(int), id(type), id((lambda: 0).__code__)):
    ctypes.memset(place, 0x41, 64)
print([None, int, type])
""",
        "rte",
    ),
    Hostile(
        "modules_broken",
        "builtins, sys, os and threading emptied: how a process ends is not decided by what they hold",
        """
import atexit, builtins, os, sys, threading
os._exit = sys.exit = builtins.exit = atexit._run_exitfuncs = threading._shutdown = lambda *_: print("PWNED")
threading._active.clear()
threading._threading_atexits[:] = [lambda: 1 / 0]
sys.excepthook = sys.unraisablehook = threading.excepthook = None
for name in ("print", "open", "__import__", "__build_class__", "exit", "quit", "compile", "exec", "type", "object"):
    delattr(builtins, name)
os.write(1, b"written")
sys.modules.clear()
""",
        "ok",
    ),
    Hostile(
        "builtins_emptied",
        "nothing built in is left for what runs at the end: that cannot end well",
        "import builtins\nvars(builtins).clear()\n",
        "rte",
    ),
    Hostile(
        "tracing_left_on",
        "sys.settrace and sys.setprofile go on into the end, and raise there",
        """
import sys, threading
def trace(frame, event, argument):
    if frame.f_code.co_name not in ("<module>", "trace"):
        raise SystemExit(0)
    return trace
threading.settrace(trace)
print("begun")
sys.settrace(trace)
sys.setprofile(trace)
""",
        "ok",
    ),
    Hostile(
        "exceptions_at_the_end",
        "in excepthook, in unraisablehook, in atexit, in __del__: the first one counts",
        """
import atexit, os, sys
class Last:
    def __del__(self):
        raise SystemExit(0)
last = Last()
def leave(*_):
    raise SystemExit(0)
atexit.register(leave)
sys.excepthook = sys.unraisablehook = leave
raise ValueError("the first one")
""",
        "rte",
    ),
    Hostile(
        "exit_in_a_finalizer",
        "an exit code of 0 after a failure, by os._exit in __del__: it is the program's own, and prints nothing",
        """
import os
class Last:
    def __del__(self, leave=os._exit):
        leave(0)
last = Last()
raise ValueError("no answer")
""",
        "ok",
    ),
    Hostile("too_deep_to_compile", "an expression that the compiler gives up on", "x = " + "-" * 200_000 + "1\n", "ce"),
    Hostile("no_text", "a null byte in the program", "print('PWNED')\n\0\n", "ce"),
)

_STATE_AND_HARNESS = (
    Hostile(
        "tmp_in_disorder",
        "folders that may not be entered, odd names, links in circles, a mode of 0 for /tmp itself",
        r"""
import os
try:
    os.umask(0o777)
    for depth in range(50):
        os.makedirs(f"/tmp/{depth}", exist_ok=True)
        os.chmod(f"/tmp/{depth}", 0o700)
        os.close(os.open(f"/tmp/{depth}/inside", os.O_CREAT))
        os.chmod(f"/tmp/{depth}", 0)
    for name in (b"\xff\xfe", b"-rf", b"\n", b"a" * 255, b" ", "é".encode(), b"$(x)", b"*", b"..."):
        os.close(os.open(b"/tmp/" + name, os.O_CREAT))
    os.symlink("/tmp/loop", "/tmp/loop")
    os.mkfifo("/tmp/fifo")
    os.chmod("/tmp", 0)
except OSError as refused:
    print(type(refused).__name__)
print("done")
""",
        "ok",
    ),
    Hostile(
        "tmp_executed",
        "a shared library and a program written to /tmp, mapped and executed from there",
        """
import ctypes, mmap, os, shutil
done = []
try:
    shutil.copy("/bin/true", "/tmp/true")
    os.chmod("/tmp/true", 0o4777)
    if os.stat("/tmp/true").st_uid != os.getuid():
        done.append("belongs to another")
    fd = os.open("/tmp/true", os.O_RDONLY)
    mmap.mmap(fd, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)
    done.append("mapped")
except OSError:
    pass
try:
    os.execv("/tmp/true", ["true"])
except OSError:
    pass
print("PWNED", done) if done else print("refused")
""",
        "ok",
    ),
    Hostile(
        "closes_everything",
        "every descriptor closed: what it prints then goes nowhere",
        "import os\nos.closerange(0, 4096)\nprint('PWNED')\n",
        "rte",
    ),
    Hostile(
        "stdout_is_another_file",
        "dup2 of others over 1 and 2",
        """
import os
print("first", flush=True)
null = os.open("/dev/null", os.O_WRONLY)
os.dup2(null, 1)
os.dup2(null, 2)
print("PWNED, but nobody reads it")
""",
        "ok",
    ),
    Hostile(
        "other_descriptors",
        "what is open from 3 up: nothing, to be written, read, asked or waited for",
        """
import os, socket
found = []
for fd in range(3, 4096):
    for way in (os.fstat, lambda fd: os.write(fd, b"\\0\\0\\0\\2{}"), lambda fd: os.pread(fd, 1, 0),
                lambda fd: socket.socket(fileno=fd).detach(), os.dup):
        try:
            way(fd)
            found.append(fd)
        except OSError:
            pass
print("PWNED", found) if found else print("none")
""",
        "ok",
    ),
    Hostile(
        "seals_on_stdout",
        "seals, owners, signals and locks on stdout; its mode and times, which end with it",
        """
import fcntl, os
done = []
for command, value in ((1033, 1), (1033, 2), (1033, 4), (1033, 8), (1033, 16), (8, os.getpid()), (10, 9), (1024, 1),
                       (1026, 2), (1036, 1), (1040, 1)):
    try:
        fcntl.fcntl(1, command, value)
        done.append((command, value))
    except OSError:
        pass
for flags in (os.O_APPEND, os.O_NONBLOCK, os.O_ASYNC, os.O_DIRECT, os.O_NOATIME, 0):
    try:
        fcntl.fcntl(1, fcntl.F_SETFL, flags)
    except OSError:
        pass
for way in (lambda: os.fchmod(1, 0), lambda: os.utime(1, (0, 0))):
    try:
        way()
    except OSError:
        pass
print("PWNED", done) if done else print("refused")
""",
        "ok",
    ),
    Hostile(
        "streams_broken",
        "sys.stdout and its relatives closed, detached, replaced by what raises",
        """
import sys
class Broken:
    closed = False
    def __getattr__(self, name):
        raise SystemExit(0)
sys.stdin.close()
sys.stderr = Broken()
sys.stdout.detach()
sys.stdout = Broken()
""",
        "rte",
    ),
    Hostile(
        "frames_above",
        "what the frames above the program, the collector and the loaded modules know of the box",
        """
import gc, sys
found = []
frame = sys._getframe()
while frame := frame.f_back:
    for name, value in {**frame.f_globals, **frame.f_locals}.items():
        if name in ("message", "descriptors", "runner", "control", "expected", "harness"):
            found.append(name)
for each in gc.get_objects():
    if type(each).__name__ in ("Runner", "Control", "Reaper", "Scratch", "Box", "Sandbox"):
        found.append(type(each).__name__)
found += [name for name in sys.modules if "reasonry" in name or "sandbox" in name]
found += [word for word in sys.argv if word != "main.py"]
print("PWNED", found) if found else print("none")
""",
        "ok",
    ),
    Hostile(
        "environment",
        "the environment, by Python and by the C library",
        """
import ctypes, os
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
names = set(os.environ)
for place in range(1000):
    if environ[place] is None:
        break
    names.add(environ[place].partition(b"=")[0].decode())
names -= {"PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE", "PYTHONHASHSEED"}
print("PWNED", names) if names else print("none")
""",
        "ok",
    ),
    Hostile(
        "identity",
        "names of users, of the machine and of groups",
        """
import os, socket
found = []
for way in (os.getlogin, lambda: __import__("pwd").getpwuid(os.getuid()).pw_name,
            lambda: __import__("grp").getgrall()[0], lambda: __import__("getpass").getuser()):
    try:
        found.append(way())
    except Exception:
        pass
print("PWNED", found) if found else print("none")
""",
        "ok",
    ),
)

HOSTILE: tuple[Hostile, ...] = (
    Hostile(
        "pairs_of_datagram_sockets",
        "a datagram socket of a pair can be sent to any socket of the host that has a path",
        """
import socket
try:
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    print("PWNED")
except OSError as error:
    print("blocked", error.errno)
""",
        "ok",
    ),
    *_SYSTEM_CALLS,
    *_RIGHTS,
    *_FILES,
    *_NETWORK,
    *_PROCESSES,
    *_FILES_AND_MEMORY,
    *_TIME_AND_OUTPUT,
    *_INTERPRETER,
    *_STATE_AND_HARNESS,
)

PAIRS: tuple[Pair, ...] = (
    Pair(
        "files",
        """
import os
for folder in ("/tmp", "/app", "/dev", "/", ".", "/dev/shm", "/var/tmp", "/usr/tmp"):
    try:
        with open(folder + "/left_behind", "w") as file:
            file.write("x")
        os.mkdir(folder + "/left_folder")
    except OSError:
        pass
""",
        """
import os
found = []
for folder in ("/tmp", "/app", "/dev", "/", ".", "/dev/shm", "/var/tmp", "/usr/tmp"):
    found += [folder + name for name in ("/left_behind", "/left_folder") if os.path.lexists(folder + name)]
    try:
        found += os.listdir(folder) if folder in ("/tmp", "/app") else []
    except OSError:
        pass
print("PWNED" if found else "nothing", found)
""",
    ),
    Pair(
        "locked_folders",
        """
import os
try:
    for name in ("one", "one/two", "one/two/three"):
        os.mkdir("/tmp/" + name)
        open(f"/tmp/{name}/file", "w").close()
    for name in ("one/two/three", "one/two", "one"):
        os.chmod("/tmp/" + name, 0)
    os.chmod("/tmp", 0)
except OSError:
    pass
""",
        """
import os
try:
    mode = os.stat("/tmp").st_mode & 0o7777
    print("PWNED" if os.listdir("/tmp") or mode != 0o1777 else "nothing")
    with open("/tmp/new", "w") as file:
        file.write("x")
except OSError as refused:
    print(type(refused).__name__)
""",
    ),
    Pair(
        "traces_on_tmp",
        """
import os
try:
    os.mkdir("/tmp/x")
    os.rmdir("/tmp/x")
    os.utime("/tmp", ns=(123456789, 123456789))
    os.chmod("/tmp", 0o1755)
    os.chmod("/tmp", 0o1777)
except OSError:
    pass
""",
        """
import os
found = os.stat("/tmp")
print("PWNED" if 123456789 in (found.st_mtime_ns, found.st_atime_ns) or found.st_mode & 0o7777 != 0o1777 else "nothing")
""",
    ),
    Pair(
        "imported_by_path",
        """
import sys
for folder in ("/tmp", "."):
    for name in ("left_module", "sitecustomize", "usercustomize", "colorsys", "json"):
        try:
            with open(f"{folder}/{name}.py", "w") as file:
                file.write("print('PWNED')")
        except OSError:
            pass
sys.path.insert(0, "/tmp/left_path")
sys.path_hooks.clear()
sys.meta_path.append(None)
""",
        """
import sys
import colorsys
try:
    import left_module
except ImportError:
    print("nothing")
if "/tmp/left_path" in sys.path or None in sys.meta_path or not sys.path_hooks:
    print("PWNED")
""",
    ),
    Pair(
        "modules_changed",
        """
import builtins, json, math, sys, types
json.dumps = json.loads = lambda *_, **__: "PWNED"
json.encoder.JSONEncoder.encode = lambda *_: "PWNED"
math.pi = 3
builtins.left_builtin = builtins.len = lambda *_: 7
sys.modules["left_module"] = types.ModuleType("left_module")
sys.setrecursionlimit(5000)
sys.setswitchinterval(10)
sys.set_int_max_str_digits(0)
""",
        """
import builtins, json, math, sys
changed = [json.dumps(1) != "1", math.pi == 3, hasattr(builtins, "left_builtin"), len("") != 0,
           "left_module" in sys.modules, sys.getrecursionlimit() == 5000, sys.getswitchinterval() == 10,
           sys.get_int_max_str_digits() == 0]
print("PWNED" if any(changed) else "nothing", changed)
""",
    ),
    Pair(
        "code_changed",
        """
import ctypes, heapq, json, statistics
statistics.mean.__code__ = (lambda *_: 9).__code__
heapq.merge.__kwdefaults__ = {"key": None, "reverse": True}
json.x = 1
class View(ctypes.Structure):
    _fields_ = [("head", ctypes.c_ssize_t * 2), ("mapping", ctypes.py_object)]
View.from_address(id(int.__dict__)).mapping["left_attribute"] = 1
""",
        """
import heapq, json, statistics
changed = [statistics.mean([1]) != 1, hasattr(int, "left_attribute"), hasattr(json, "x"),
           list(heapq.merge([2], [1])) != [1, 2]]
print("PWNED" if any(changed) else "nothing", changed)
""",
    ),
    Pair(
        "small_integers",
        """
import ctypes
ctypes.c_uint32.from_address(id(200) + 24).value = 7
""",
        """
print("PWNED" if 100 + 100 != 193 + 7 or str(199 + 1) != "200" else "nothing")
""",
    ),
    Pair(
        "random_state",
        """
import random
random.seed(5)
for _ in range(1000):
    random.random()
random._inst.setstate(random.Random(9).getstate())
""",
        """
import random
drawn = random.random()
print("PWNED" if drawn != random.Random(0).random() else "as ever", drawn)
""",
    ),
    Pair(
        "process_state",
        """
import gc, locale, os, resource, signal, sys, threading
os.environ["LEFT"] = "1"
os.putenv("LEFT", "1")
os.umask(0o777)
try:
    os.chdir("/usr/lib")
except OSError:
    pass
signal.signal(signal.SIGALRM, lambda *_: print("PWNED"))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
gc.disable()
sys.settrace(lambda *_: None)
threading.stack_size(1 << 20)
""",
        """
import ctypes, gc, os, resource, signal, sys, threading, time
time.sleep(0.06)
getenv = ctypes.CDLL(None).getenv
changed = [os.environ.get("LEFT"), getenv(b"LEFT"), os.umask(0o22) != 0o22, os.getcwd() == "/usr/lib",
           *(signal.getsignal(number) is not signal.SIG_DFL for number in (signal.SIGALRM, signal.SIGTERM)),
           signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getitimer(signal.ITIMER_REAL)[0],
           resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 20, not gc.isenabled(), sys.gettrace(),
           threading.stack_size()]
print("PWNED" if any(changed) else "nothing", changed)
""",
    ),
    Pair(
        "descriptors",
        """
import os
read, write = os.pipe()
os.write(write, b"left")
for number in range(3, 64):
    os.dup2(read, number)
os.set_inheritable(3, True)
os.set_blocking(0, False)
os.lseek(1, 1000, 0)
""",
        """
import os
found = []
for number in range(3, 1024):
    try:
        os.fstat(number)
        found.append(number)
    except OSError:
        pass
found += ["nonblocking"] * (not os.get_blocking(0)) + ["place"] * (os.lseek(1, 0, 1) != 0)
print("PWNED" if found else "nothing", found)
""",
    ),
    Pair(
        "standard_input",
        """
import sys
with open(0) as one:
    words = one.read()
try:
    words += open("/dev/stdin").read()
except OSError:
    pass
print(len(words))
""",
        """
import os, sys
words = sys.stdin.read()
for path in ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
    try:
        with open(path) as file:
            words += file.read()
    except OSError:
        pass
print("PWNED" if words else "nothing")
""",
    ),
    Pair(
        "threads_and_functions_at_the_end",
        """
import atexit, os, threading, time
atexit.register(lambda: None)
def late():
    time.sleep(0.05)
    os.write(1, b"PWNED")
threading.Thread(target=late, daemon=True).start()
os._exit(0)
""",
        """
import threading, time
time.sleep(0.1)
print("PWNED" if threading.active_count() != 1 else "nothing")
""",
    ),
    Pair(
        "code_kept",
        """
import linecache, sys
linecache.cache["main.py"] = (1, None, ["PWNED"], "main.py")
sys.modules["__main__"].__dict__["left_name"] = 1
sys.path_importer_cache["/tmp"] = None
""",
        """
import linecache, sys
lines = linecache.getlines("main.py")
print("PWNED" if lines == ["PWNED"] or "left_name" in globals() else "nothing")
""",
    ),
)
