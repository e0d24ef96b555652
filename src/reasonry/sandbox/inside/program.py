"""Running a Python program in a process forked for it, as `python main.py` would run it.

What programs rely on is real: `__main__`, `sys.stdin` and its relatives as CPython made them, `exit()`, the order of
things at the end (threads, `atexit`, flushing, destructors), exit codes, tracebacks that begin in the program.
"""

from __future__ import annotations

import atexit
import builtins
import gc
import linecache
import marshal
import os
import sys
import threading
from collections.abc import Callable
from types import CodeType, ModuleType, TracebackType
from typing import Any, NoReturn, cast

__all__ = ["HEAD_BYTES", "load_code", "new_module", "report", "run_program", "shut_down"]

FILE_NAME = "main.py"
COMPILE_STATUS = 1
_FLUSH_FAILED_STATUS = 120  # as CPython's
HEAD_BYTES = 8  # of a code cache: not 0 once the program has compiled
_NOT_KEPT = (1 << 62) - 1  # it compiles, and was too large to keep

# Taken now: a program that replaces these must not decide how its own process ends.
_exit: Callable[[int], NoReturn] = os._exit
_join_threads: Callable[[], None] = threading._shutdown  # type: ignore[attr-defined]
_threads: dict[int, threading.Thread] = threading._active  # type: ignore[attr-defined]
_at_thread_exit: list[Any] = threading._threading_atexits  # type: ignore[attr-defined]
_run_exit_functions: Callable[[], None] = atexit._run_exitfuncs  # pyright: ignore[reportPrivateUsage]
_collect = gc.collect
_excepthook = sys.__excepthook__


def run_program(source: int, cache: int) -> NoReturn:
    """Run the program in file `source` as `__main__`. `cache` keeps its code for the next test of the same program."""
    code = load_code(source, cache)
    module = new_module("__main__")
    del source, cache
    status = 0
    try:
        exec(code, module.__dict__)
    except SystemExit as leaving:
        status = _status_of(leaving)
    except BaseException as thrown:  # noqa: BLE001 - as the interpreter does
        status = 1
        report(thrown)
    shut_down(module, status)


def load_code(source: int, cache: int) -> CodeType:
    """The program's code: from the cache, or compiled and put there. Never returns where it does not compile.

    The cache is written before the program runs and closed before, so no program can change what its next test runs.
    Its first bytes are its length, written last.
    """
    try:
        text = os.pread(source, os.fstat(source).st_size, 0)
        _remember_lines(text)
        length = int.from_bytes(os.pread(cache, HEAD_BYTES, 0), "little")
        if length and length != _NOT_KEPT:
            return cast(CodeType, marshal.loads(os.pread(cache, length, HEAD_BYTES)))  # noqa: S302 - our own
        try:
            code = compile(text, FILE_NAME, "exec", dont_inherit=True)
        except BaseException as thrown:  # noqa: BLE001 - SyntaxError, ValueError, MemoryError, RecursionError, ...
            report(thrown, of_compiler=True)
            _exit(COMPILE_STATUS)
        _keep(code, cache)
        return code
    finally:
        os.close(source)
        os.close(cache)


def _keep(code: CodeType, cache: int) -> None:
    """Its length is written last, and only where all of it could be written: there is a limit on what a test writes."""
    image = marshal.dumps(code)
    try:
        length = len(image) if os.pwrite(cache, image, HEAD_BYTES) == len(image) else _NOT_KEPT
    except OSError:
        length = _NOT_KEPT
    os.pwrite(cache, length.to_bytes(HEAD_BYTES, "little"), 0)


def _remember_lines(text: bytes) -> None:
    """So that `inspect.getsource` and tracebacks find the program, which is no file here; split only if they ask."""
    linecache.cache[FILE_NAME] = (lambda: text.decode("utf-8", "replace"),)  # as linecache.lazycache() leaves it


def new_module(name: str) -> ModuleType:
    """A module that is its own entry in `sys.modules`."""
    module = ModuleType(name)
    module.__dict__.update(__builtins__=builtins, __file__=FILE_NAME, __annotations__={})
    sys.modules[name] = module
    return module


def report(thrown: BaseException, *, of_compiler: bool = False) -> None:
    """What the interpreter says of an exception that nobody caught."""
    trace = None if of_compiler else _within_program(thrown.__traceback__)
    thrown.__traceback__ = trace
    try:
        sys.excepthook(type(thrown), thrown, trace)
    except BaseException:  # noqa: BLE001 - a hook of the program's, or a stderr that is full
        try:
            _excepthook(type(thrown), thrown, trace)
        except BaseException:  # noqa: BLE001 - the exit code tells it
            pass


def _within_program(trace: TracebackType | None) -> TracebackType | None:
    """Without our own frame at its top."""
    return trace.tb_next if trace is not None else None


def _status_of(leaving: SystemExit) -> int:
    code = leaving.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    try:
        print(code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - a stderr that is full
        pass
    return 1


def shut_down(module: ModuleType, status: int) -> NoReturn:
    """Leave as the interpreter leaves: threads, exit functions, output, and what the program's objects do last."""
    steps = (_join_threads, _run_exit_functions) if _has_threads() else (_run_exit_functions,)
    for step in steps:
        try:
            step()
        except BaseException:  # noqa: BLE001 - the interpreter prints it and goes on
            pass
    if not _flush():
        status = status or _FLUSH_FAILED_STATUS
    try:
        _forget(module.__dict__)
        _collect()
    except BaseException:  # noqa: BLE001 - destructors
        pass
    _flush()
    _exit(status)


def _has_threads() -> bool:
    return len(_threads) > 1 or bool(_at_thread_exit)


def _flush() -> bool:
    flushed = True
    for stream in (sys.stdout, sys.stderr):
        if stream is None or getattr(stream, "closed", False):
            continue
        try:
            stream.flush()
        except BaseException:  # noqa: BLE001 - full, or closed below
            flushed = flushed and stream is sys.stderr
    return flushed


def _forget(names: dict[str, Any]) -> None:
    """Let go of the module's objects in the order of `_PyModule_Clear`: private names first."""
    for private in (True, False):
        for name in list(names):
            if name != "__builtins__" and (name[:1] == "_" and name[1:2] != "_") is private:
                names[name] = None
