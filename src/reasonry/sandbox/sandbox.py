"""The sandbox: runs untrusted programs in a box that is kept warm, and replaced when it dies."""

from __future__ import annotations

import atexit
import platform
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from reasonry import env
from reasonry.sandbox.box import Box, BoxDied, MemoryFile, check_places, interpreter_places, is_hidden
from reasonry.sandbox.inside.checker import CANNOT_JUDGE
from reasonry.sandbox.inside.program import HEAD_BYTES
from reasonry.sandbox.languages import SECRET_BYTES, Language, find_language, headers_folder
from reasonry.sandbox.messages import Call, as_compile_error, ending_of, fit_to, message_of, request_of, with_value
from reasonry.sandbox.outcomes import Ended, Limits, Outcome, SandboxUnavailable, Tier

__all__ = ["MOST_TESTS", "Call", "Sandbox", "run", "use_tier"]

MOST_TESTS = 48  # in one message: the kernel hands over 253 descriptors at most
KEPT_PROGRAMS = 16  # whose code is kept for their next test
_STDERR_BYTES = 1 << 16  # of which the last are kept
_TOGETHER_BYTES = 64 << 20  # of output that is read at once
_VALUES_BYTES = 4 << 20  # of returned values that are read at once; as objects they take thirty times as much
_STDIN = "/dev/stdin"
NEEDS_NAMESPACES = "it needs user namespaces: reasonry doctor says what this machine lacks"
_DEFAULT = Limits()
_COMPILING = Limits(cpu_s=20, memory_mb=2048, output_mb=64)


class Sandbox:
    """One box, started when it is first needed. One test at a time: for several cores, one sandbox for each.

    `tier` None takes the best that this machine has, "namespaces" or "landlock"; "unsafe" confines nothing and must be
    asked for by name. `packages`: folders of Python packages that programs may import, by default those named in
    REASONRY_SANDBOX_PACKAGES. Every outcome says in which tier it was found. Raises SandboxUnavailable from the first
    test on, where the machine has no tier. Use it in a `with` block, or call `close()`.
    """

    def __init__(self, *, tier: Tier | None = None, packages: Sequence[str] | None = None) -> None:
        self._wanted: Tier | None = tier or _CHOSEN[0]
        self._packages = env.sandbox_packages() if packages is None else list(packages)
        self._box: Box | None = None
        self._programs: OrderedDict[str, _Program] = OrderedDict()
        self._lock = threading.Lock()
        self.deaths = 0  # of boxes, so far
        self.left_running = 0  # tests that left something running: never, or the kernel has a hole

    @property
    def tier(self) -> Tier:
        """The tier in force."""
        with self._lock:
            return self._ready().tier

    def run(
        self, program: str, language: str = "python", stdin: bytes | str = b"", limits: Limits = _DEFAULT
    ) -> Outcome:
        """Run a program with this standard input. Never raises for anything that the program does."""
        return self.run_tests(program, [stdin], language, limits)[0]

    def run_tests(
        self, program: str, inputs: Sequence[bytes | str], language: str = "python", limits: Limits = _DEFAULT
    ) -> list[Outcome]:
        """Run a program with each standard input, a fresh process for each, up to the first that does not end well.

        Many in one go cost less than one by one. At most `MOST_TESTS`. The list is shorter, too, where outputs are so
        large that they do not fit into memory together: the rest is run by another call.
        """
        _check_count(inputs)
        found = find_language(language)
        with self._lock, ExitStack() as stack:
            self._ready()
            tests = [(_file(stack, _bytes(data)), _file(stack), _file(stack)) for data in inputs]
            if found is not None:
                return self._execute(found, program, tests, limits)
            message = message_of("program", limits) | {"opens_stdin": _STDIN in program}
            return self._tests(message, tests, limits, self._program(program))

    def call(
        self,
        program: str,
        function: str,
        arguments: Sequence[Any],
        named: Mapping[str, Any] | None = None,
        limits: Limits = _DEFAULT,
    ) -> Outcome:
        """Call a function of a Python program; `value` of the outcome is what it returned, of plain types.

        `function` may be a method of a class `Solution`. Where nothing plain came back `ended` is `runtime_error` and
        `detail` tells why.
        """
        return self.call_tests(program, function, [Call(tuple(arguments), dict(named or {}))], limits)[0]

    def call_tests(
        self, program: str, function: str, calls: Sequence[Call], limits: Limits = _DEFAULT
    ) -> list[Outcome]:
        """Make each call in a fresh process, up to the first that does not end well. At most `MOST_TESTS`."""
        _check_count(calls)
        with self._lock, ExitStack() as stack:
            self._ready()
            tests = [
                (_file(stack), _file(stack), _file(stack), _file(stack, request_of(function, call)), _file(stack))
                for call in calls
            ]
            outcomes = self._tests(message_of("call", limits), tests, limits, self._program(program))
            room = _VALUES_BYTES
            valued: list[Outcome] = []
            for outcome, test in zip(outcomes, tests, strict=False):
                room -= test[4].size
                if valued and room < 0:
                    break
                valued.append(with_value(outcome, test[4]) if outcome.ended is Ended.OK else outcome)
            return valued

    def check(
        self, program: str, harness: str, *, entry: str = "", starter: str = "", limits: Limits = _DEFAULT
    ) -> tuple[Outcome, Outcome]:
        """Run a Python harness against a Python program, each in a process of its own.

        The first outcome is the harness's: `ok` means that it ran to its end. The second is the program's. `entry` is
        the function that the harness means by `candidate`; `starter` is trusted code that the program was begun from.
        """
        with self._lock, ExitStack() as stack:
            self._ready()
            program_files = [_file(stack), _file(stack), _file(stack)]
            checker_files = [_file(stack), _file(stack), _file(stack)]
            kept, kept_harness = self._program(program), self._program(harness)
            files = [*kept.files, *program_files, *kept_harness.files]
            files += [_file(stack, starter.encode("utf-8", "replace")), *checker_files]
            message = message_of("check", limits) | {"entry": entry}
            ended = self._ask(message, files)
            if ended is None:
                failed = self._failed()
                return failed, failed
            checker = self._told(ended[0], checker_files[1:], limits, kept_harness)
            checker = replace(checker, cannot_judge=checker.exit_code == CANNOT_JUDGE)
            return checker, self._told(ended[1], program_files[1:], limits, kept)

    def check_joined(self, program: str, harness: str, language: str, limits: Limits = _DEFAULT) -> Outcome:
        """Run a harness of another language in the program's own process, after it. `ok`: it ran to its last line."""
        found = find_language(language)
        if found is None:
            raise ValueError("a Python harness has a process of its own: use check()")
        secret = secrets.token_hex(SECRET_BYTES)
        outcome = self.run(found.join(program, harness, secret), language, b"", limits)
        if outcome.ended is not Ended.OK:
            return outcome
        said, _, last = outcome.stdout.rstrip(b"\n").rpartition(b"\n")
        if last != secret.encode():
            return replace(outcome, ended=Ended.RUNTIME_ERROR, detail="it ended before the harness did")
        return replace(outcome, stdout=said)

    def close(self) -> None:
        with self._lock:
            self._drop_box()
            while self._programs:
                self._programs.popitem()[1].close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- one job

    def _tests(
        self,
        message: dict[str, Any],
        tests: Sequence[Sequence[MemoryFile]],
        limits: Limits,
        program: _Program,
    ) -> list[Outcome]:
        ended = self._ask(message, [*program.files, *(file for test in tests for file in test)], len(tests))
        if ended is None:
            return [self._failed()]
        return self._all_told(ended, tests, limits, program)

    def _all_told(
        self,
        ended: Sequence[dict[str, Any]],
        tests: Sequence[Sequence[MemoryFile]],
        limits: Limits,
        program: _Program | None,
    ) -> list[Outcome]:
        """As many as together fit into our memory; at least one."""
        told: list[Outcome] = []
        room = _TOGETHER_BYTES
        for how, test in zip(ended, tests, strict=False):
            room -= test[1].size
            if told and room < 0:
                break
            told.append(self._told(how, test[1:3], limits, program))
        return told

    def _ask(self, message: dict[str, Any], files: Sequence[MemoryFile], tests: int = 1) -> list[dict[str, Any]] | None:
        """How the job's processes ended; None where the box died of it, twice."""
        ended = self._try(message, files, tests)
        return self._try(message, files, tests) if ended is None else ended

    def _try(self, message: dict[str, Any], files: Sequence[MemoryFile], tests: int = 1) -> list[dict[str, Any]] | None:
        """As `_ask`, once."""
        box = self._ready()
        if message["kind"] not in ("install", "execute"):
            message["clears_app"] = bool(box.installed)
            box.installed = ""
        try:
            answer = box.run(message, files, tests)
        except BoxDied:
            self.deaths += 1
            self._drop_box()
            for file in files:
                file.reset()
            return None
        self.left_running += bool(answer["left"])
        return answer["ended"]

    def _told(
        self, ended: dict[str, Any], written: Sequence[MemoryFile], limits: Limits, program: _Program | None
    ) -> Outcome:
        stdout, stderr = written
        return Outcome(
            ended=ending_of(ended, stdout, limits, is_compiled=program is None or program.is_compiled),
            stdout=stdout.read(),
            stderr=stderr.tail(_STDERR_BYTES),
            exit_code=ended["status"],
            signal=ended["signal"],
            limit=ended["limit"],
            cpu_s=ended["cpu_s"],
            wall_s=ended["wall_s"],
            tier=self._ready().tier,
        )

    def _failed(self) -> Outcome:
        detail = "the box ended twice while it ran this"
        return Outcome(Ended.FAILED, detail=detail, tier=self._ready().tier)

    def _program(self, text: str) -> _Program:
        """The program's files, with its code once a test has compiled it."""
        kept = self._programs.get(text)
        if kept is None:
            kept = self._programs[text] = _Program(text)
            if len(self._programs) > KEPT_PROGRAMS:
                self._programs.popitem(last=False)[1].close()
        self._programs.move_to_end(text)
        return kept

    # --- languages that are executed

    def _execute(
        self, language: Language, program: str, tests: Sequence[Sequence[MemoryFile]], limits: Limits
    ) -> list[Outcome]:
        tier = self._ready().tier
        if tier != "namespaces":
            raise SandboxUnavailable(f"tier '{tier}' does not run {language.name}", hint=NEEDS_NAMESPACES)
        message = message_of("execute", limits)
        message |= {"argv": language.run_command(program, limits.memory_mb), "opens_stdin": _STDIN in program}
        fit_to(message, language)
        for _ in range(2):
            complaint = self._install(language, program)
            if complaint is not None:
                return [complaint]
            ended = self._try(message, [file for test in tests for file in test], len(tests))
            if ended is not None:
                return self._all_told(ended, tests, limits, None)
        return [self._failed()]

    def _install(self, language: Language, program: str) -> Outcome | None:
        """Have the box hold this program. Otherwise, how its compiler ended."""
        wanted = f"{language.name}\0{program}"
        command = language.compile_command(program)
        box = self._ready()
        if box.installed == wanted:
            return None
        box.installed = "?"  # something of it may stay there
        message = message_of("install", _COMPILING) | {"name": language.source_name(program), "argv": command}
        fit_to(message, language)
        with ExitStack() as stack:
            files = [_file(stack, program.encode("utf-8", "replace")), _file(stack), _file(stack), _file(stack)]
            ended = self._ask(message, files)
            if ended is None:
                return self._failed()
            if command and ended[0]["status"] != 0:
                return as_compile_error(self._told(ended[0], files[2:], _COMPILING, None))
        self._ready().installed = wanted
        return None

    # --- the box

    def _ready(self) -> Box:
        if self._box is not None and not self._box.is_ours:
            self._drop_box()
        if self._box is None:
            self._box = self._start()
        return self._box

    def _start(self) -> Box:
        if platform.system() != "Linux":
            raise SandboxUnavailable("there is a sandbox on Linux only", hint="run Reasonry in a Linux machine or VM")
        check_places(interpreter_places())
        if self._wanted is not None:
            return Box(self._wanted, self._packages, _readable())
        try:
            return Box("namespaces", self._packages, _readable())
        except SandboxUnavailable as first:
            try:
                return Box("landlock", self._packages)
            except SandboxUnavailable:
                raise first from None

    def _drop_box(self) -> None:
        if self._box is not None:
            self._box.close()
            self._box = None


class _Program:
    """A Python program's text and code, as files in memory."""

    def __init__(self, text: str) -> None:
        self._code = MemoryFile()
        self.files = (MemoryFile(text.encode("utf-8", "replace")), self._code)

    @property
    def is_compiled(self) -> bool:
        return any(self._code.read(HEAD_BYTES))

    def close(self) -> None:
        for file in self.files:
            file.close()


_CHOSEN: list[Tier | None] = [None]


def use_tier(tier: Tier | None) -> None:
    """The tier of sandboxes that are made in this process from now on and name none. None: the best there is."""
    _CHOSEN[0] = tier


def run(program: str, language: str = "python", stdin: bytes | str = b"", limits: Limits = _DEFAULT) -> Outcome:
    """Run one program in a sandbox that all callers of this process share; see `Sandbox.run`."""
    return _shared().run(program, language, stdin, limits)


_SHARED: list[Sandbox] = []
_SHARED_LOCK = threading.Lock()


def _shared() -> Sandbox:
    with _SHARED_LOCK:
        if not _SHARED:
            _SHARED.append(Sandbox())
            atexit.register(_SHARED[0].close)
        return _SHARED[0]


def _check_count(tests: Sequence[object]) -> None:
    if not 1 <= len(tests) <= MOST_TESTS:
        raise ValueError(f"from 1 to {MOST_TESTS} tests at a time, not {len(tests)}")


def _bytes(data: bytes | str) -> bytes:
    return data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data


def _file(stack: ExitStack, content: bytes = b"") -> MemoryFile:
    try:
        file = MemoryFile(content)
    except OSError as exc:
        raise SandboxUnavailable(f"no file for a test: {exc.strerror}", hint="ulimit -n 1024") from exc
    stack.callback(file.close)
    return file


def _readable() -> tuple[str, ...]:
    folder = headers_folder()
    return () if folder is None or is_hidden(str(folder)) else (str(folder),)
