"""Languages: a table. Python runs in a fork of a warm interpreter; the others are files that are compiled or executed.

A harness in one of the others runs in the program's own process, after it: `join` makes one source of both. What passes
is not exit code 0 but a secret that the last line prints, since a program could leave early. That is weaker than for
Python, where the two are different processes: a program that looks for the secret in its own memory can find it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reasonry import env
from reasonry.identity import digest
from reasonry.sandbox.box import tethered
from reasonry.sandbox.inside.namespaces import APP, SEARCH_PATH
from reasonry.sandbox.outcomes import SandboxUnavailable

__all__ = ["LANGUAGES", "Language", "find_language", "headers_folder"]

SECRET_BYTES = 16


@dataclass(frozen=True, slots=True)
class Language:
    """How programs of one language are compiled and run.

    `{unit}` in a path or a command stands for what `unit` finds in the program: where a language wants its file named
    after what is in it. `join` makes one program of a program, a harness and a secret that the program's last line
    prints. `memory_flag` tells a runtime how many megabytes its heap may have.
    """

    name: str
    source: str
    command: tuple[str, ...]
    join: Callable[[str, str, str], str]
    compiler: tuple[str, ...] = ()
    include: Callable[[str], tuple[str, ...]] | None = None
    unit: Callable[[str], str] | None = None
    reserves_memory: bool = False
    memory_flag: str = ""
    libraries: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def source_name(self, program: str) -> str:
        """The name of its file in `/app`."""
        return self._named(self.source, program)

    def compile_command(self, program: str) -> list[str]:
        """Empty for a language that is not compiled. Raises SandboxUnavailable where there is no compiler."""
        if not self.compiler:
            return []
        more = self.include(program) if self.include is not None else ()
        return [*_found([self._named(word, program) for word in self.compiler]), *more]

    def run_command(self, program: str, memory_mb: int) -> list[str]:
        """Raises SandboxUnavailable where there is no runtime."""
        first, *rest = _found([self._named(word, program) for word in self.command])
        flags = [self.memory_flag.format(memory_mb)] if self.memory_flag else []
        return [first, *flags, *rest]

    def environment(self) -> dict[str, str]:
        """Where the loader finds the runtime's own libraries: without /proc it cannot know where a program lies."""
        if not self.libraries:
            return {}
        home = Path(_found(list(self.command))[0]).parents[1]
        return {"LD_LIBRARY_PATH": ":".join(str(home / folder) for folder in self.libraries)}

    def _named(self, text: str, program: str) -> str:
        return text.replace("{unit}", self.unit(program)) if self.unit is not None else text


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


def _found(command: list[str]) -> list[str]:
    """The command with the whole path of its program, which must be where a box can see it."""
    if command[0].startswith(APP):
        return command
    path = shutil.which(command[0], path=SEARCH_PATH)
    if path is None:
        raise SandboxUnavailable(f"{command[0]} is not installed", hint=f"install {command[0]} below /usr")
    return [str(Path(path).resolve()), *command[1:]]


# --- C++

_CPP_FLAGS = ("-std=c++17", "-O2", "-w")
_EVERYTHING = "bits/stdc++.h"
_HEADER_S = 120


_LIBRARIES = {"<openssl/": "-lcrypto", "<gmp": "-lgmp"}  # linked where a header of theirs is included


def _cpp_flags(program: str) -> tuple[str, ...]:
    """Where the program includes everything: a header compiled once for this compiler, a fifth of the time."""
    flags = [flag for header, flag in _LIBRARIES.items() if header in program]
    folder = header_folder() if _EVERYTHING in program else None
    return ("-I", str(folder), *flags) if folder is not None else tuple(flags)


def headers_folder() -> Path | None:
    """Where precompiled headers are kept; None where nothing can be kept."""
    folder = env.cache_folder() / "headers"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home
        return None
    return folder


def header_folder() -> Path | None:
    """The folder of this compiler's precompiled header, made when it is first wanted; None where it cannot be made."""
    kept = headers_folder()
    if kept is None:
        return None
    compiler = _found(["g++"])[0]
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    folder = kept / digest("header", version, _CPP_FLAGS)
    target = folder / f"{_EVERYTHING}.gch"
    return folder if target.exists() or _make_header(compiler, target) else None


def _make_header(compiler: str, target: Path) -> bool:
    """By whoever comes first; several at a time do no harm, since each writes a file of its own."""
    source, partial = target.with_suffix(""), target.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    command = [compiler, *_CPP_FLAGS, "-x", "c++-header", str(source), "-o", str(partial)]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(f"#include_next <{_EVERYTHING}>\n")
        done = subprocess.run(tethered(command), capture_output=True, check=False, timeout=_HEADER_S)
        if done.returncode == 0:
            partial.replace(target)
        return done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False  # then programs compile more slowly
    finally:
        partial.unlink(missing_ok=True)


def _join_cpp(program: str, harness: str, secret: str) -> str:
    """The program's `main`, if it has one, and the harness's become ordinary functions.

    Falling off the end of an ordinary function that returns something is undefined, and in `main` it is not: so the
    harness's returns nothing, unless it has a `return`.
    """
    returns = re.search(r"\breturn\b", harness.rpartition("main")[2])
    named = "reasonry_harness" if returns else "reasonry_unused; void reasonry_harness"
    call = "if (reasonry_harness()) return 1;" if returns else "reasonry_harness();"
    last = f'int main() {{ {call} fflush(stdout); std::printf("\\n%s\\n", "{secret}"); }}'
    return "\n".join(
        (
            "#define main reasonry_program_main",
            program,
            "#undef main",
            f"#define main {named}",
            harness,
            "#undef main",
            "#include <cstdio>",
            last,
        )
    )


# --- JavaScript


def _join_javascript(program: str, harness: str, secret: str) -> str:
    """`console.assert` only complains; here it throws, and the program can no longer change that."""
    throws = "value(holds, ...said) { if (!holds) throw new Error(`assertion failed ${said}`); }"
    strict = f"Object.defineProperty(console, 'assert', {{ {throws}, writable: false, configurable: false }});"
    return f"{program}\n;{strict}\n{harness}\n;process.stdout.write('\\n{secret}\\n');\n"


# --- Java

_JAVA_IMPORT = re.compile(r"^[ \t]*+import[ \t]++(?:static[ \t]++)?[\w.*]++[ \t]*+;[ \t]*+$", re.MULTILINE)
_JAVA_TYPE = re.compile(r"\b(?:class|interface|enum|record)\s++(\w++)")
_JAVA_PUBLIC = re.compile(r"\bpublic\s++(?:(?:final|abstract|strictfp)\s++)*+(?:class|interface|enum|record)\s++(\w++)")
_JAVA_MAIN = re.compile(r"\bpublic\s++static\s++void\s++main\b")
_JAVA_HARNESS = "ReasonryHarness"
_LONGEST_NAME = 200  # of a file


def _java_class(program: str) -> str:
    """The class that is run, after which the file is named: the one before `main`, else the public one."""
    if f"class {_JAVA_HARNESS} " in program:
        return _JAVA_HARNESS
    main = _JAVA_MAIN.search(program)
    before = [found[1] for found in _JAVA_TYPE.finditer(program, 0, main.start())] if main else []
    public = _JAVA_PUBLIC.search(program)
    name = public[1] if public and (not before or public[1] in before) else (before or ["Main"])[-1]
    return name if len(name) <= _LONGEST_NAME else "Main"


def _join_java(program: str, harness: str, secret: str) -> str:
    """Imports first; no class public, since a file may have one only, named after it."""
    parts = [_JAVA_IMPORT.sub("", text).replace("public class ", "class ") for text in (program, harness)]
    imports = sorted({line.strip() for text in (program, harness) for line in _JAVA_IMPORT.findall(text)})
    last = f'Main.main(given); System.out.println("\\n{secret}");'
    runner = f"class {_JAVA_HARNESS} {{ public static void main(String[] given) throws Throwable {{ {last} }} }}"
    return "\n".join([*imports, *parts, runner])


LANGUAGES: tuple[Language, ...] = (
    Language(
        name="cpp",
        source="main.cpp",
        compiler=("g++", *_CPP_FLAGS, "-o", f"{APP}/main", f"{APP}/main.cpp"),
        command=(f"{APP}/main",),
        include=_cpp_flags,
        join=_join_cpp,
        aliases=("c++", "cplusplus", "cxx"),
    ),
    Language(
        name="javascript",
        source="main.js",
        command=("node", f"{APP}/main.js"),
        join=_join_javascript,
        reserves_memory=True,
        memory_flag="--max-old-space-size={}",
        aliases=("js", "node", "nodejs"),
    ),
    Language(
        name="java",
        source="{unit}.java",
        compiler=("javac", "-J-Xmx512m", "-nowarn", "-d", APP, f"{APP}/{{unit}}.java"),
        command=("java", "-Xss64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-ea", "-cp", APP, "{unit}"),
        unit=_java_class,
        join=_join_java,
        reserves_memory=True,
        memory_flag="-Xmx{}m",
        libraries=("lib", "lib/jli", "lib/server"),
    ),
)
