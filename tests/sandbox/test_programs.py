"""A program runs as `python main.py` would run it: the interpreter itself is the oracle."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.sandbox import Ended, Limits, Sandbox, SandboxUnavailable
from tests.sandbox.places import USERS, run_as

PACKAGES = Path(__file__).parent / "packages"
PYTHON: str = getattr(sys, "_base_executable", None) or sys.executable
PROGRAMS = {
    "nothing": "",
    "print": "print('hello')",
    "no newline at the end": "print('a', end='')",
    "reads all": "import sys\nprint(sum(map(int, sys.stdin.read().split())))",
    "reads lines": "a, b = int(input()), int(input())\nprint(a * b)",
    "input at the end": "while True:\n    try:\n        print(input()[::-1])\n    except EOFError:\n        break",
    "input beyond the end": "print(input(), input(), input(), input())",
    "iterates over stdin": "import sys\nfor line in sys.stdin:\n    print(line.rstrip())",
    "reads bytes": "import sys\nprint(sys.stdin.buffer.readline())",
    "reads by file size": "import os\nprint(os.read(0, os.fstat(0).st_size))",
    "opens descriptor 0": "print(open(0).read())",
    "maps stdin": "import mmap\nprint(mmap.mmap(0, 0, access=mmap.ACCESS_READ)[:])",
    "mode and name of the streams": (
        "import sys\nfor s in (sys.stdin, sys.stdout, sys.stderr):\n    print(s.mode, s.name, s.encoding, s.isatty())"
    ),
    "streams are the interpreter's": "import sys\nprint(sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__)",
    "tells where stdin is": "import sys\nsys.stdin.seek(0)\nprint(sys.stdin.tell())",
    "exit": "print(1)\nexit()",
    "quit with a code": "quit(3)",
    "sys.exit with text": "import sys\nsys.exit('no')",
    "sys.exit with a large code": "import sys\nsys.exit(256 + 7)",
    "sys.exit with None": "import sys\nsys.exit(None)",
    "sys.exit negative": "import sys\nsys.exit(-1)",
    "os._exit drops what is not flushed": "import os\nprint('lost')\nos._exit(4)",
    "raises": "print('before')\n1 / 0",
    "raises from": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('x') from e",
    "syntax error": "print(1)\nx = = 2",
    "indentation error": "if True:\nprint(1)",
    "null byte": "print(1)\0",
    "atexit": "import atexit\natexit.register(print, 'bye')\nprint('hi')",
    "atexit that raises": "import atexit\natexit.register(lambda: 1 / 0)\nprint('hi')",
    "threads are joined": (
        "import threading, time\n"
        "def work():\n    time.sleep(0.05)\n    print('done')\n"
        "threading.Thread(target=work).start()\nprint('main')"
    ),
    "a daemon thread is not": (
        "import threading, time\n"
        "def work():\n    time.sleep(20)\n    print('never')\n"
        "threading.Thread(target=work, daemon=True).start()\nprint('main')"
    ),
    "main thread": "import threading\nprint(threading.current_thread() is threading.main_thread(), threading.active_count())",
    "a file of one's own over stdout": "out = open(1, 'w', closefd=False)\nout.write('buffered')",
    "destructor at the end": "class A:\n    def __del__(self):\n        print('gone')\na = A()",
    "destructor in a cycle": "class A:\n    def __del__(self):\n        print('gone')\na = A()\na.self = a",
    "replaced stdout": (
        "import sys, io\nclass Out(io.TextIOWrapper):\n    pass\n"
        "sys.stdout = Out(sys.stdout.buffer, write_through=False)\nprint('x')"
    ),
    "closed stdout": "import sys\nprint('x')\nsys.stdout.close()",
    "unicode": "print('ü€😀', input())",
    "not encodable": "print('\\ud800')",
    "name": "print(__name__, __file__ is not None)",
    "pickles its own class": "import pickle\nclass A:\n    pass\nprint(type(pickle.loads(pickle.dumps(A()))).__name__)",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nprint(A(3))",
    "type hints of a function": (
        "from typing import get_type_hints\nfrom __future__ import annotations\ndef f(a: int) -> str: ...\nprint(f)"
    ),
    "future annotations": "from __future__ import annotations\ndef f(a: Undefined): ...\nprint(f.__annotations__)",
    "annotations of the module": "x: int = 3\nprint(__annotations__)",
    "global through __main__": "import __main__\nx = 5\nprint(__main__.x)",
    "source of a function": "import inspect\ndef f():\n    return 7\nprint(inspect.getsource(f))",
    "recursion": "def f(n):\n    return n and 1 + f(n - 1)\nprint(f(900))",
    "too deep recursion": "def f():\n    return f()\nf()",
    "deep recursion": "import sys\nsys.setrecursionlimit(10 ** 6)\ndef f(n):\n    return n and 1 + f(n - 1)\nprint(f(20000))",
    "in a large thread": (
        "import sys, threading\nsys.setrecursionlimit(10 ** 6)\nthreading.stack_size(1 << 27)\n"
        "def f(n):\n    return n and 1 + f(n - 1)\n"
        "t = threading.Thread(target=lambda: print(f(50000)))\nt.start()\nt.join()"
    ),
    "asyncio": "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 5\nprint(asyncio.run(f()))",
    "sets itself a signal handler": (
        "import os, signal\nsignal.signal(signal.SIGUSR1, lambda *a: print('caught'))\nos.kill(os.getpid(), signal.SIGUSR1)"
    ),
    "interrupt": "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt:\n    print('caught')",
    "alarm": "import signal, time\nsignal.alarm(1)\ntime.sleep(5)",
    "terminates itself": "import os, signal\nprint('x', flush=True)\nos.kill(os.getpid(), signal.SIGTERM)\nprint('y')",
    "kills itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "aborts": "import os\nos.abort()",
    "segmentation fault": "import ctypes\nctypes.string_at(0)",
    "default handlers": "import signal\nprint(signal.getsignal(2), signal.getsignal(13), signal.getsignal(15), signal.getsignal(17))",
    "nothing blocked": "import signal\nprint(signal.pthread_sigmask(signal.SIG_BLOCK, []))",
    "writes and reads a file": "open('f.txt', 'w').write('abc')\nprint(open('f.txt').read())",
    "imports its own file": "open('mine.py', 'w').write('x = 8')\nimport mine\nprint(mine.x)",
    "temporary file": "import tempfile\nwith tempfile.TemporaryFile() as f:\n    f.write(b'x')\n    print(f.tell())",
    "copies a file": "import shutil\nopen('a', 'w').write('x')\nshutil.copy2('a', 'b')\nprint(open('b').read())",
    "excepthook": "import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__)\n1 / 0",
    "argv": "import sys\nprint(len(sys.argv))",
    "big integers": "print(len(str(7 ** 3000)))",
    "decimal": "from decimal import Decimal, getcontext\ngetcontext().prec = 50\nprint(Decimal(1) / 7)",
    "order of a set of integers": "print({5, 3, 1, 20, 100})",
    "regular expression": "import re\nprint(re.sub(r'\\d+', lambda m: str(int(m[0]) * 2), 'a1b22'))",
    "sorts": "import functools\nprint(sorted('bca', key=functools.cmp_to_key(lambda a, b: (a > b) - (a < b))))",
    "queue and threads": (
        "import queue, threading\nq = queue.Queue()\n"
        "ts = [threading.Thread(target=q.put, args=(i,)) for i in range(8)]\n"
        "[t.start() for t in ts], [t.join() for t in ts]\nprint(sorted(q.get() for _ in ts))"
    ),
    "executor": "from concurrent.futures import ThreadPoolExecutor as P\nwith P(4) as p:\n    print(list(p.map(abs, [-1, -2])))",
    "sqlite": "import sqlite3\nprint(sqlite3.connect(':memory:').execute('select 6 * 7').fetchone())",
    "hash and random of the library": "import hashlib, zlib\nprint(hashlib.sha256(b'x').hexdigest(), zlib.crc32(b'x'))",
    "warning": "import warnings\nwarnings.warn('w')\nprint('x')",
    "assertion": "assert 1 == 2, 'no'",
    "lambda default": "f = lambda x, y=2: x ** y\nprint(f(3))",
    "walrus and match": "match [1, 2]:\n    case [a, b] if (c := a + b):\n        print(c)",
}
STDIN = "12\n30\nÄ\n"
LANDLOCK_WITHOUT = {"writes and reads a file", "imports its own file", "temporary file", "copies a file"}


def as_interpreter(program: str, folder: Path) -> tuple[int, bytes, str]:
    """Exit code (negative for a signal), stdout, and what the last line of stderr begins with, of the interpreter."""
    (folder / "main.py").write_text(program, encoding="utf-8")
    (folder / "stdin").write_text(STDIN, encoding="utf-8")
    environment = {"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin"}
    with (folder / "stdin").open() as stdin, (folder / "stdout").open("wb") as stdout:
        done = subprocess.run(
            [PYTHON, "-s", "-B", "-X", "utf8", "main.py"],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            check=False,
        )
    return done.returncode, (folder / "stdout").read_bytes(), last_line(done.stderr)


def last_line(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].partition(":")[0] if lines else ""


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_ends_as_with_the_interpreter(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    code, stdout, last = as_interpreter(PROGRAMS[name], tmp_path)
    outcome = sandbox.run(PROGRAMS[name], stdin=STDIN, limits=Limits(cpu_s=5))
    ending = outcome.exit_code if outcome.signal is None else -outcome.signal
    assert (ending, outcome.stdout, last_line(outcome.stderr)) == (code, stdout, last)


@pytest.mark.parametrize("user", USERS)
def test_programs_end_in_tier_b_as_in_tier_a(user: str, sandbox: Sandbox) -> None:
    """But for those that write files: nothing is writable there."""
    if os.geteuid() != 0 and user == "root":
        pytest.skip("the tests are not run by root")
    in_tier_b = run_as(user, "tests.sandbox.run_programs", "landlock")
    for name in PROGRAMS.keys() - LANDLOCK_WITHOUT:
        outcome = sandbox.run(PROGRAMS[name], stdin=STDIN, limits=Limits(cpu_s=5))
        code = outcome.exit_code if outcome.signal is None else -outcome.signal
        told = [code, outcome.stdout.decode("utf-8", "replace"), last_line(outcome.stderr)]
        assert in_tier_b[name] == told, name


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_second_test_of_a_program_ends_as_the_first(name: str, sandbox: Sandbox) -> None:
    """Its code comes from the cache by then."""
    first, second = (sandbox.run(PROGRAMS[name], stdin=STDIN, limits=Limits(cpu_s=5)) for _ in range(2))
    told: list[Any] = [(o.ended, o.exit_code, o.signal, o.stdout, last_line(o.stderr)) for o in (first, second)]
    assert told[0] == told[1]


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=2000))
def test_bytes_pass_through_unchanged(data: bytes) -> None:
    from reasonry.sandbox.sandbox import run

    program = "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())"
    assert run(program, stdin=data).stdout == data


def test_a_program_is_the_same_at_every_run(sandbox: Sandbox) -> None:
    program = "import os, random\nprint(random.random(), hash('x'), {'a', 'b', 'c'}, os.getpid())"
    assert len({sandbox.run(program).stdout for _ in range(3)}) == 1
    with Sandbox(tier="namespaces") as another:
        assert another.run(program).stdout == sandbox.run(program).stdout


def test_many_tests_in_one_message_are_those_one_by_one(sandbox: Sandbox) -> None:
    program = "n = int(input())\nprint(n * n)"
    outcomes = sandbox.run_tests(program, [str(n) for n in range(40)])
    assert [o.stdout for o in outcomes] == [b"%d\n" % (n * n) for n in range(40)]


def test_a_message_ends_with_the_first_test_that_does_not_end_well(sandbox: Sandbox) -> None:
    outcomes = sandbox.run_tests("print(10 // int(input()))", ["5", "2", "0", "1"])
    assert [o.ended for o in outcomes] == [Ended.OK, Ended.OK, Ended.RUNTIME_ERROR]


def test_the_library_of_the_interpreter_can_be_imported(sandbox: Sandbox) -> None:
    names = "csv ctypes difflib email hashlib html http.client logging pprint secrets sqlite3 ssl unittest uuid xml.dom zlib"
    outcome = sandbox.run(f"import {', '.join(names.split())}\nprint('all')")
    assert outcome.stdout == b"all\n", outcome.stderr


def test_packages_that_are_named_can_be_imported_and_not_changed() -> None:
    program = "import given\nprint(given.x)\ntry:\n    open(given.__file__, 'a')\nexcept OSError as e:\n    print('no')"
    with Sandbox(packages=[str(PACKAGES)]) as sandbox:
        assert sandbox.run(program).stdout == b"9\nno\n"
    with Sandbox(packages=[]) as sandbox:
        assert sandbox.run(program).ended is Ended.RUNTIME_ERROR


def test_packages_may_lie_anywhere_that_others_may_enter(tmp_path: Path) -> None:
    (tmp_path / "given.py").write_text("x = 8")
    with Sandbox(packages=[str(tmp_path)]) as sandbox:
        if os.geteuid() == 0:
            with pytest.raises(SandboxUnavailable, match="may not enter"):
                sandbox.run("")
        tmp_path.chmod(0o755)
        assert sandbox.run("import given\nprint(given.x)").stdout == b"8\n"
