"""Languages: a table. Python runs in a fork of a warm interpreter; the others are files that are compiled or executed.

A harness in one of these languages runs in the program's own process, after it: `joined` makes one source of both. What
passes is not exit code 0 but a secret that the last line of the harness prints, since a program could leave early.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reasonry import env
from reasonry.identity import digest
from reasonry.sandbox.outcomes import SandboxUnavailable

__all__ = ["LANGUAGES", "Language", "find_language", "headers_folder"]

APP = "/app"
SECRET = "REASONRY_SECRET"  # noqa: S105 - a place holder


@dataclass(frozen=True, slots=True)
class Language:
    """`source`: the file's name in `/app`. `compiler` and `command` are found on the host's PATH, below /usr."""

    name: str
    source: str
    command: tuple[str, ...]
    compiler: tuple[str, ...] = ()
    prepare: Callable[[str], tuple[str, ...]] | None = None
    compile_cpu_s: float = 20.0
    compile_memory_mb: int = 2048
    reserves_memory: bool = False
    memory_flag: str = ""
    libraries: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def compile_command(self, program: str) -> list[str]:
        """Empty for a language that is not compiled."""
        more = self.prepare(program) if self.prepare is not None and self.compiler else ()
        return [*_found(self.compiler), *more] if self.compiler else []

    def run_command(self, memory_mb: int) -> list[str]:
        first, *rest = _found(self.command)
        flags = [self.memory_flag.format(memory_mb)] if self.memory_flag else []
        return [first, *flags, *rest]

    def environment(self) -> dict[str, str]:
        """Where the loader finds the runtime's own libraries: without /proc it cannot know where a program lies."""
        if not self.libraries:
            return {}
        home = Path(_found(self.command)[0]).parents[1]
        return {"LD_LIBRARY_PATH": ":".join(str(home / folder) for folder in self.libraries)}


def find_language(name: str) -> Language | None:
    """By its name or another that is common for it; None is Python. Raises SandboxUnavailable for an unknown one."""
    wanted = name.lower()
    if wanted in ("python", "python3", "py"):
        return None
    for language in LANGUAGES:
        if wanted == language.name or wanted in language.aliases:
            return language
    known = ", ".join(["python", *(language.name for language in LANGUAGES)])
    raise SandboxUnavailable(f"no language '{name}'", hint=f"known: {known}")


def _found(command: tuple[str, ...]) -> list[str]:
    """The command with the whole path of its program, which must be where a box can see it."""
    if command[0].startswith(APP):
        return list(command)
    path = shutil.which(command[0], path="/usr/local/bin:/usr/bin:/bin")
    if path is None:
        raise SandboxUnavailable(f"{command[0]} is not installed", hint=f"install {command[0]} below /usr")
    return [str(Path(path).resolve()), *command[1:]]


# --- C++

_CPP_FLAGS = ("-std=c++17", "-O2", "-w")
_EVERYTHING = "bits/stdc++.h"


def _precompiled(program: str) -> tuple[str, ...]:
    """Where the program includes everything: a header compiled once for this compiler, a fifth of the time."""
    if _EVERYTHING not in program:
        return ()
    folder = header_folder()
    return ("-I", str(folder)) if folder is not None else ()


def headers_folder() -> Path | None:
    """Where precompiled headers are kept; None where nothing can be kept."""
    folder = env.cache_folder() / "headers"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def header_folder() -> Path | None:
    """The folder of this compiler's precompiled header, made when it is first wanted; None where it cannot be made."""
    kept = headers_folder()
    if kept is None:
        return None
    compiler = _found(("g++",))[0]
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    folder = kept / digest("header", version, _CPP_FLAGS)
    target = folder / f"{_EVERYTHING}.gch"
    return folder if target.exists() or _make_header(compiler, target) else None


def _make_header(compiler: str, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    source = target.with_suffix("")
    partial = target.with_suffix(".partial")
    source.write_text(f"#include_next <{_EVERYTHING}>\n")
    done = subprocess.run(
        [compiler, *_CPP_FLAGS, "-x", "c++-header", str(source), "-o", str(partial)], capture_output=True, check=False
    )
    if done.returncode == 0:
        partial.replace(target)
    return done.returncode == 0


LANGUAGES: tuple[Language, ...] = (
    Language(
        name="cpp",
        source="main.cpp",
        compiler=("g++", *_CPP_FLAGS, "-o", f"{APP}/main", f"{APP}/main.cpp"),
        command=(f"{APP}/main",),
        prepare=_precompiled,
        aliases=("c++", "cplusplus", "cxx"),
    ),
    Language(
        name="javascript",
        source="main.js",
        command=("node", f"{APP}/main.js"),
        reserves_memory=True,
        memory_flag="--max-old-space-size={}",
        aliases=("js", "node", "nodejs"),
    ),
    Language(
        name="java",
        source="Main.java",
        compiler=("javac", "-J-Xmx512m", "-nowarn", "-d", APP, f"{APP}/Main.java"),
        command=("java", "-Xss64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", APP, "Main"),
        reserves_memory=True,
        memory_flag="-Xmx{}m",
        libraries=("lib", "lib/jli", "lib/server"),
    ),
)
