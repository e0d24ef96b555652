"""The sandbox as a library: limits, deaths, tiers, and the traps on the way to it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from reasonry.doctor import examine
from reasonry.sandbox import MOST_TESTS, Call, Ended, Limits, Sandbox, SandboxUnavailable, run
from reasonry.sandbox.inside.numbers import NUMBERS
from reasonry.sandbox.inside.values import NotAValue, decode
from reasonry.sandbox.languages import LANGUAGES
from tests.processes import children_of, gone_within

ROOT = Path(__file__).resolve().parents[2]
QUICK = Limits(cpu_s=0.5, wall_s=1.5)


def descendants(process: int) -> list[int]:
    found = children_of(process)
    return found + [further for child in found for further in descendants(child)]


# --- limits


def test_processor_time_is_limited_and_not_the_clock(sandbox: Sandbox) -> None:
    outcome = sandbox.run("while True: pass", limits=Limits(cpu_s=0.3))
    assert (outcome.ended, outcome.limit) == (Ended.TIME_LIMIT, "cpu")
    assert 0.3 <= outcome.cpu_s < 0.6
    assert sandbox.run("import time\ntime.sleep(0.6)", limits=Limits(cpu_s=0.3)).ended is Ended.OK


def test_processor_time_of_all_threads_counts(sandbox: Sandbox) -> None:
    program = "import hashlib, threading\nwork = lambda: [hashlib.sha256(b'x' * 10**7) for _ in range(10**6)]\n"
    program += "[threading.Thread(target=work).start() for _ in range(4)]"
    outcome = sandbox.run(program, limits=Limits(cpu_s=0.4))
    assert (outcome.ended, outcome.limit) == (Ended.TIME_LIMIT, "cpu")
    assert outcome.cpu_s < 1.0


def test_a_program_that_sleeps_is_starved_and_one_that_works_is_not(sandbox: Sandbox) -> None:
    sleeping = sandbox.run("import time\ntime.sleep(100)", limits=QUICK)
    assert (sleeping.ended, sleeping.limit, sleeping.is_starved) == (Ended.TIME_LIMIT, "wall", True)
    assert not sandbox.run("while True: pass", limits=QUICK).is_starved


def test_memory_is_limited(sandbox: Sandbox) -> None:
    outcome = sandbox.run("x = bytearray(200 << 20)", limits=Limits(memory_mb=128))
    assert outcome.ended is Ended.RUNTIME_ERROR
    assert b"MemoryError" in outcome.stderr
    assert sandbox.run("x = bytearray(200 << 20)", limits=Limits(memory_mb=512)).ended is Ended.OK


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1])
def test_output_is_limited_to_the_byte(size: int, sandbox: Sandbox) -> None:
    program = f"import os\nn = {size}\nwhile n:\n    n -= os.write(1, b'x' * n)"
    outcome = sandbox.run(program, limits=Limits(output_mb=1))
    assert outcome.ended is (Ended.OK if size == 1 << 20 else Ended.OUTPUT_LIMIT)


def test_threads_are_limited(sandbox: Sandbox) -> None:
    program = (
        "import threading, time\nfor _ in range({}):\n    threading.Thread(target=time.sleep, args=(0.1,)).start()"
    )
    assert sandbox.run(program.format(8), limits=Limits(threads=16)).ended is Ended.OK
    assert sandbox.run(program.format(40), limits=Limits(threads=16)).ended is Ended.RUNTIME_ERROR


@pytest.mark.parametrize("name", ["cpu_s", "wall_s", "memory_mb", "output_mb", "threads", "stack_mb"])
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})


@pytest.mark.parametrize("count", [0, MOST_TESTS + 1])
def test_too_few_or_too_many_tests_are_refused(count: int, sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="tests at a time"):
        sandbox.run_tests("", [""] * count)


def test_the_most_tests_and_calls_fit_into_one_message(sandbox: Sandbox) -> None:
    assert len(sandbox.run_tests("", [""] * MOST_TESTS)) == MOST_TESTS
    calls = [Call((n,)) for n in range(MOST_TESTS)]
    assert [o.value for o in sandbox.call_tests("def f(n): return n", "f", calls)] == list(range(MOST_TESTS))


# --- values of calls


@pytest.mark.parametrize(
    "value",
    ["None", "True", "10 ** 400", "-1.5", "1e308", "'ü\\ud800'", "b'\\0x'", "(1, [2, {3}])", "{1: 'a', (2,): None}",
     "frozenset({1})", "range(3, 9, 2)", "1 + 2j", "float('inf')", "[]", "{'a': [1.0, {}]}"],
)  # fmt: skip
def test_values_cross_as_they_are(value: str, sandbox: Sandbox) -> None:
    expected = eval(value)
    outcome = sandbox.call(f"def f(x):\n    assert x == {value}\n    return {value}", "f", [expected])
    assert (outcome.value, type(outcome.value)) == (expected, type(expected)), outcome.detail


def test_a_value_of_no_plain_type_is_told(sandbox: Sandbox) -> None:
    outcome = sandbox.call("class A: pass\ndef f(): return A()", "f", [])
    assert (outcome.ended, outcome.detail) == (Ended.RUNTIME_ERROR, "TypeError: returned a A, which is no plain value")
    assert sandbox.call("x = 1", "f", []).detail == "the program defines no 'f'"
    assert sandbox.call("def f(): raise KeyError('k')", "f", []).detail == "KeyError: 'k'"
    assert sandbox.call("import os\ndef f(): os._exit(0)", "f", []).detail.startswith("the call ended without")


# --- deaths


def test_a_box_that_dies_is_replaced(sandbox: Sandbox) -> None:
    others = set(children_of(os.getpid()))
    with Sandbox() as mine:
        mine.run("")
        (outside,) = set(children_of(os.getpid())) - others
        os.kill(outside, signal.SIGKILL)
        assert gone_within(1, [outside])
        assert mine.run("print(5)").stdout == b"5\n"
        assert mine.deaths == 1


def test_a_test_that_is_tried_again_reads_its_input_from_the_start(sandbox: Sandbox) -> None:
    """The place in stdin is shared with the box that died."""
    others = set(children_of(os.getpid()))
    with Sandbox() as mine:
        mine.run("")
        (outside,) = set(children_of(os.getpid())) - others
        threading.Timer(0.4, os.kill, (outside, signal.SIGKILL)).start()
        outcome = mine.run("import time\nx = input()\nprint(x, flush=True)\ntime.sleep(1)", stdin="hello\n")
        assert (outcome.ended, outcome.stdout, mine.deaths) == (Ended.OK, b"hello\n", 1)


def test_a_code_cache_that_cannot_be_written_is_done_without(sandbox: Sandbox) -> None:
    program = "x = 1\n" * 3000 + "print(x)"
    for limits in (Limits(output_mb=0.001), Limits(output_mb=0.001), Limits()):
        assert sandbox.run(program, limits=limits).ended is Ended.OK


COLLIDING = {
    "numbers": [n * ((1 << 61) - 1) for n in range(20_000)],
    "keys": [[n * ((1 << 61) - 1), 0] for n in range(20_000)],
    "tuples": [{"t": "tuple", "v": [n * ((1 << 61) - 1), 0]} for n in range(20_000)],
}


@pytest.mark.parametrize("name", COLLIDING)
def test_a_set_whose_hashes_collide_is_not_built_here(name: str) -> None:
    with pytest.raises(NotAValue, match="same hash"):
        decode({"t": "dict" if name == "keys" else "set", "v": COLLIDING[name]})
    assert decode({"t": "set", "v": list(range(20_000))}) == set(range(20_000))


@pytest.mark.parametrize(
    "program",
    ["class " + "A" * 70_000 + " {}", "class " + "a" * 8000 + " " * 32_000, "\nimport  " * 8000, "class A {" * 5000],
)
def test_no_program_text_keeps_the_host_busy(program: str) -> None:
    began = time.monotonic()
    for language in LANGUAGES:
        language.source_name(program)
        language.join(program, "class Main {}", "secret")
    assert time.monotonic() - began < 1


def test_a_child_of_the_host_does_not_keep_the_box_alive(sandbox: Sandbox) -> None:
    program = (
        "import os, time\nfrom reasonry.sandbox import Sandbox\n"
        "sandbox = Sandbox()\nsandbox.run('')\n"
        "if os.fork() == 0:\n    time.sleep(8)\n    os._exit(0)\n"
        "print('started', flush=True)\nsandbox.run('while True: pass')\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"started\n"
        time.sleep(0.3)
        left = [process for process in descendants(host.pid) if "-s" in command_of(process)]
        assert len(left) >= 2
        host.kill()
        assert gone_within(1, left)


def command_of(process: int) -> list[str]:
    return Path(f"/proc/{process}/cmdline").read_text().split("\0")


def test_a_sandbox_that_was_closed_starts_anew() -> None:
    with Sandbox() as mine:
        assert mine.run("print(1)").stdout == b"1\n"
        mine.close()
        assert mine.run("print(2)").stdout == b"2\n"


def test_closing_leaves_no_process() -> None:
    others = set(descendants(os.getpid()))
    with Sandbox() as mine:
        mine.run("")
        its_own = set(descendants(os.getpid())) - others
    assert len(its_own) >= 2
    assert not its_own & set(descendants(os.getpid()))


def test_descriptors_do_not_pile_up(sandbox: Sandbox) -> None:
    def count() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    for n in range(40):
        sandbox.run(f"print({n})")
    before = count()
    for n in range(200):
        sandbox.run(f"print({n + 100})")
        sandbox.call(f"def f(): return {n}", "f", [])
    assert count() <= before


def test_threads_may_share_a_sandbox(sandbox: Sandbox) -> None:
    found: dict[int, bytes] = {}
    workers = [
        threading.Thread(target=lambda n=n: found.update({n: sandbox.run("print(input())", stdin=str(n)).stdout}))
        for n in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == {n: b"%d\n" % n for n in range(8)}


def test_a_forked_process_gets_a_box_of_its_own(sandbox: Sandbox) -> None:
    with Sandbox() as mine:
        assert mine.run("print(0)").stdout == b"0\n"
        process = os.fork()
        if process == 0:
            found = [mine.run("print(input())", stdin=str(n)).stdout == b"%d\n" % n for n in range(20)]
            mine.close()
            os._exit(0 if all(found) else 1)
        assert [mine.run("print(input())", stdin=str(n)).stdout for n in range(50, 60)] == [
            b"%d\n" % n for n in range(50, 60)
        ]
        assert os.waitpid(process, 0)[1] == 0
        assert mine.run("print(7)").stdout == b"7\n"
        assert mine.deaths == 0


def test_a_thread_that_made_the_sandbox_may_end(sandbox: Sandbox) -> None:
    """A parent-death signal goes by threads: the box must outlive the one that made it."""
    with Sandbox() as mine:
        maker = threading.Thread(target=mine.run, args=("",))
        maker.start()
        maker.join()
        time.sleep(0.2)
        assert mine.run("print(1)").stdout == b"1\n"
        assert mine.deaths == 0


@pytest.mark.parametrize("which", ["python", "sleeping", "threads", "cpp", "compiling", "header"])
@pytest.mark.parametrize("tier", ["namespaces", "unsafe"])
def test_killing_the_host_leaves_no_process(
    tier: str, which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if which == "header":
        monkeypatch.setenv("REASONRY_CACHE", str(tmp_path))
    if which in ("cpp", "compiling", "header") and (tier != "namespaces" or shutil.which("g++") is None):
        pytest.skip("C++ needs tier A and g++")
    command = [sys.executable, "-m", "tests.sandbox.host", tier, which]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"started\n"
        time.sleep(0.5)
        left = descendants(host.pid)
        assert len(left) >= 2
        host.kill()
        host.wait()
        assert gone_within(1, left)


# --- traps: each was met once


def test_the_world_that_a_program_sees(sandbox: Sandbox) -> None:
    program = "import os, socket\nprint(sorted(os.listdir('/')), os.listdir('/tmp'), os.getuid(), socket.gethostname())"
    names, user = re.fullmatch(rb"(\[.*\]) \[\] (\d+) box\n", sandbox.run(program).stdout).groups()  # type: ignore[union-attr]
    assert user == b"0"
    assert not {"proc", "sys", "home", "var", "work"} & set(eval(names))


def test_the_environment_is_the_same_everywhere(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with Sandbox() as mine:
        outcome = mine.run("import os\nprint(sorted(os.environ))")
    assert outcome.stdout == b"['HOME', 'LANG', 'PATH', 'PYTHONHASHSEED']\n"


def test_exit_is_there_without_site(sandbox: Sandbox) -> None:
    assert sandbox.run("exit(4)").exit_code == 4


def test_reading_by_the_size_of_stdin(sandbox: Sandbox) -> None:
    """Fast readers ask fstat for the size: a pipe would say 0."""
    program = "import os, io\ndata = io.BytesIO(os.read(0, os.fstat(0).st_size))\nprint(data.readline())"
    assert sandbox.run(program, stdin="12 13\n").stdout == b"b'12 13\\n'\n"


def test_dev_stdin_can_be_opened_and_shows_no_other_test(sandbox: Sandbox) -> None:
    program = "print(repr(open('/dev/stdin').read()))"
    assert sandbox.run(program, stdin="one").stdout == b"'one'\n"
    assert sandbox.run("print(repr(open('/dev/' + 'stdin').read()))", stdin="two").stdout == b"''\n"


def test_a_program_ends_by_its_own_signals(sandbox: Sandbox) -> None:
    """Process 1 of a namespace would ignore them."""
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGABRT, signal.SIGUSR1):
        assert sandbox.run(f"import os\nos.kill(os.getpid(), {number.value})\nprint('on')").signal == number


def test_asyncio_works_and_sockets_do_not(sandbox: Sandbox) -> None:
    program = "import asyncio\nasync def f():\n    await asyncio.sleep(0.01)\n    return 3\nprint(asyncio.run(f()))"
    assert sandbox.run(program).stdout == b"3\n"
    for family in (1, 2, 10, 16, 17, 38, 40):  # unix, inet, inet6, netlink, packet, alg, vsock
        outcome = sandbox.run(f"import socket\nsocket.socket({family}, socket.SOCK_STREAM)")
        assert b"PermissionError" in outcome.stderr, family


def test_the_numbers_of_system_calls_are_those_of_the_headers() -> None:
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip("no kernel headers here")
    defined = dict(re.findall(r"#define __NR_(\w+) (\d+)", header.read_text()))
    newer = {name for name in NUMBERS if name not in defined}
    assert len(newer) < 10
    assert {name: x86 for name, (x86, _) in NUMBERS.items() if name not in newer} == {
        name: int(defined[name]) for name in NUMBERS if name not in newer
    }


# --- tiers


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
@pytest.mark.parametrize("memory_mb", [128, 256, 1024])
def test_javascript_runs_in_little_memory(memory_mb: int, sandbox: Sandbox) -> None:
    assert sandbox.run("console.log(1)", "javascript", limits=Limits(memory_mb=memory_mb)).stdout == b"1\n"


def test_an_unknown_language_is_refused_by_name() -> None:
    with pytest.raises(SandboxUnavailable) as refused:
        run("x", "cobol")
    assert refused.value.hint == "known: python, cpp, javascript, java"


def test_without_namespaces_and_landlock_it_refuses_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """It never falls back to running unconfined."""

    def refuse(_: Sandbox) -> None:
        raise SandboxUnavailable("no box", hint="sysctl -w user.max_user_namespaces=10000")

    monkeypatch.setattr(Sandbox, "_start", refuse)
    with Sandbox() as sandbox, pytest.raises(SandboxUnavailable, match="no box"):
        sandbox.run("print(1)")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take user namespaces away")
def test_where_namespaces_are_switched_off_the_hint_names_the_switch() -> None:
    """Under a user namespace of our own in which there may be no further one."""
    program = (
        "import os\nfrom pathlib import Path\nfrom reasonry.sandbox.inside import kernel\n"
        "kernel.unshare(kernel.CLONE_NEWUSER)\n"
        "Path('/proc/self/setgroups').write_text('deny')\n"
        "Path('/proc/self/uid_map').write_text('0 0 1')\n"
        "Path('/proc/sys/user/max_user_namespaces').write_text('0')\n"
        "from reasonry.sandbox import Sandbox, SandboxUnavailable\n"
        "try:\n    Sandbox(tier='namespaces').run('')\n"
        "except SandboxUnavailable as exc:\n    print(exc.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "sysctl -w user.max_user_namespaces=10000\n", done.stderr


def test_unsafe_must_be_asked_for_and_is_told() -> None:
    with Sandbox(tier="unsafe") as sandbox:
        assert sandbox.run("print(1)").tier == "unsafe"


# --- other languages


COMPILED = {
    "cpp": ("g++", "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }"),
    "javascript": ("node", "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' '); console.log(+a + +b)"),
    "java": (
        "javac",
        """
        import java.util.*;
        public class Sum {
            public static void main(String[] x) {
                Scanner s = new Scanner(System.in);
                System.out.println(s.nextInt() + s.nextInt());
            }
        }""",
    ),
}


@pytest.mark.parametrize("language", COMPILED)
def test_a_language_reads_and_prints(language: str, sandbox: Sandbox) -> None:
    tool, program = COMPILED[language]
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here")
    outcomes = sandbox.run_tests(program, ["20 22", "1 2"], language)
    assert [outcome.stdout.strip() for outcome in outcomes] == [b"42", b"3"], outcomes[0].stderr
    assert sandbox.run("this is ; no program {", language, limits=QUICK).ended is not Ended.OK


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here")
def test_a_compiled_program_is_no_place_to_hide(sandbox: Sandbox) -> None:
    """It cannot start others, change /app, or read its source; the next program finds nothing of it."""
    program = r"""
#include <cstdio>
#include <unistd.h>
int main() {
    printf("%d %d %d", fork() < 0, fopen("/app/new", "w") == nullptr, fopen("/app/main.cpp", "r") == nullptr);
}"""
    assert sandbox.run(program, "cpp").stdout == b"1 1 1"
    assert sandbox.run('#include <cstdio>\nint main() { for (;;) puts("x"); }', "cpp").ended is Ended.OUTPUT_LIMIT
    assert sandbox.run("import os\nprint(os.listdir('/app'))").stdout == b"[]\n"


def test_doctor_lets_a_program_try_to_get_out(sandbox: Sandbox, tmp_path: Path) -> None:
    (found,) = [check for check in examine(tmp_path) if check.name == "sandbox"]
    assert found.passed
    assert found.detail == "tier namespaces; a program that tries to get out reaches []"
