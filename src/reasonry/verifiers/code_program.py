"""The program that a response gives: the last fenced block of its language, or the whole text where nothing is fenced.

Nothing here runs a program: Python is parsed, or regular expressions decide. With starter code (the head of a function)
a response may hold the rest of it, a "continuation", or a program of its own. That gets what the starter offers:
imports and helpers. Its heads are left out, since they may name types (`List`) that only the response imports.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from reasonry.verifiers.extraction_text import split_thinking

__all__ = ["LANGUAGES", "Program", "extract_program"]

# The tags of a language, without a version: `python3.11`, `py3` and `c++17` are cut to their name first.
LANGUAGES: dict[str, frozenset[str]] = {
    "python": frozenset({"python", "py", "pypy"}),
    "cpp": frozenset({"cpp", "c++", "cxx", "cc"}),
    "javascript": frozenset({"javascript", "js", "node", "nodejs", "mjs"}),
    "java": frozenset({"java"}),
}
MAX_PARSED = 200_000  # characters; a longer text is nobody's answer, and parsing takes memory


@dataclass(frozen=True, slots=True)
class Program:
    """A program, the rule that found it, and which of the response's blocks it was (-1: it was not fenced)."""

    text: str
    rule: str
    block: int = -1


@dataclass(frozen=True, slots=True)
class _Task:
    language: str
    starter: str
    entry: tuple[str, ...]  # ("Solution", "twoSum")


def extract_program(
    response: str, language: str = "python", *, starter_code: str = "", entry: str = ""
) -> Program | None:
    """The program that a response gives, or None. `entry` is the function that it must define, where that is known."""
    if language not in LANGUAGES:
        raise ValueError(f"no language {language!r}: one of {', '.join(LANGUAGES)}")
    parts = split_thinking(_shielded(_clean(response)))
    if not parts.is_closed:
        return None
    said = parts.said.replace(_SHIELD, _END_OF_TURN)
    starter = _clean(starter_code) if starter_code.strip() else ""
    task = _Task(language, starter, tuple(filter(None, entry.replace("()", "").split("."))))
    blocks = _blocks(said)
    return _fenced(blocks, task) or _unfenced(said, task) or _fenced(blocks, task, must_look_so=False)


# Joiners stay inside of text that needs them (emoji, Persian); beside an ASCII character they are debris of a copy.
_ZERO_WIDTH = re.compile(
    r"[\u200b\u2060\ufeff]|(?<=[\x00-\x7f])[\u200c\u200d]+|(?<![\u200c\u200d])[\u200c\u200d]++(?=[\x00-\x7f])"
)


def _clean(text: str) -> str:
    return (text if text.isascii() else _ZERO_WIDTH.sub("", text)).replace("\r\n", "\n")


_END_OF_TURN = "</s>"  # of some models; and of struck text in HTML, which programs write
_SHIELD = "</s\ue000>"
_FENCED = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.MULTILINE | re.DOTALL)


def _shielded(text: str) -> str:
    """What is in a fence does not end a turn."""
    if _END_OF_TURN not in text:
        return text
    return _FENCED.sub(lambda found: found[0].replace(_END_OF_TURN, _SHIELD), text.rstrip().removesuffix(_END_OF_TURN))


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    tag: str


_FENCE = re.compile(r"^([ \t]*+)((?:[-*+]|\d{1,3}[.)])[ \t]++)?(`{3,}+|~{3,}+)([^\n]*)$", re.MULTILINE)
_TAG = re.compile(r"[{\s]*\.?([^\s{}:,;=][^\s{}:,;=\d]*)?")  # `{.python}`, `python3.11`, `c++17`, `py title="x"`


def _blocks(said: str) -> list[_Block]:
    """Every fenced block. One that a tagged fence interrupts ends there; one that is still open ends with the text."""
    blocks: list[_Block] = []
    opening: re.Match[str] | None = None
    for fence in _FENCE.finditer(said):
        if opening is None:
            opening = None if "`" in fence[4] else fence  # "```x = 1```" is a word of a sentence
        elif _meets(opening, fence):
            blocks.append(_block(said, opening, fence.start()))
            opening = fence if fence[4].strip() else None
    if opening is not None:
        blocks.append(_block(said, opening, len(said.rstrip().removesuffix(opening[3]))))  # "print(x)```" happens
    return blocks


def _meets(opening: re.Match[str], fence: re.Match[str]) -> bool:
    """Whether a fence ends the block that is open: one of another kind, or deeper inside (a docstring's), does not."""
    is_deeper = len(fence[1]) >= len(opening[1]) + len(opening[2] or "") + 4
    return fence[3].startswith(opening[3]) and not is_deeper and not fence[2] and "`" not in fence[4]


def _block(said: str, opening: re.Match[str], end: int) -> _Block:
    lines = said[opening.end() + 1 : end].split("\n")
    if indent := opening[1] + " " * len(opening[2] or ""):
        lines = [line[len(indent) :] if line.startswith(indent) else line.lstrip(" \t") for line in lines]
    return _Block("\n".join(lines), _TAG.findall(opening[4].lower())[0])


def _usable(blocks: Sequence[_Block], tags: frozenset[str], task: _Task) -> list[int]:
    """The blocks with one of the tags that hold something. A session with an interpreter is no program."""
    useless = re.compile(r"\s*(?:>>>|$)" if task.language == "python" else r"\s*$")
    return [index for index, block in enumerate(blocks) if block.tag in tags and not useless.match(block.text)]


def _fenced(blocks: Sequence[_Block], task: _Task, *, must_look_so: bool = True) -> Program | None:
    """The last block that defines the entry; else the last tagged with the language; else one that looks like it."""
    tagged, untagged = _usable(blocks, LANGUAGES[task.language], task), _usable(blocks, frozenset({""}), task)
    for rule, indices in (("fence", tagged), ("fence-any", untagged)):
        for index in reversed(indices):
            if task.entry and _defines(blocks[index].text, task.entry, task.language):
                return _of_block(blocks, index, rule, task)
    if tagged:
        return _of_block(blocks, tagged[-1], "fence", task)
    looks = re.compile(_LOOKS[task.language] if must_look_so else "", re.MULTILINE)
    alike = [index for index in untagged if looks.search(blocks[index].text)]
    return _of_block(blocks, alike[-1], "fence-any", task) if alike else None


def _of_block(blocks: Sequence[_Block], index: int, rule: str, task: _Task) -> Program:
    text = blocks[index].text
    if task.starter and (joined := _continued(text, task, is_fenced=True)) is not None:
        return Program(joined, "continuation", index)
    return Program(_with_starter(text, task), rule, index)


# --- a response without fences, or with the rest of the starter code only


def _unfenced(said: str, task: _Task) -> Program | None:
    """The whole text. A lone end of a fence counts as no fence: its opening may have stood in the prompt."""
    if (fence := _FENCE.search(said)) is not None:
        if fence[4].strip():
            return None
        said = said[: fence.start()]
    if task.starter and said.strip() and (joined := _continued(said, task, is_fenced=False)) is not None:
        return Program(joined, "continuation")
    texts = [text for text in ([said, _cut(said)] if task.starter else [said]) if _is_program(text, task.language)]
    return Program(_with_starter(texts[0], task), "whole") if texts else None


def _continued(text: str, task: _Task, *, is_fenced: bool) -> str | None:
    """The starter code and the text as its rest, or None where the text is not that."""
    is_body, plain = _INDENTED.match(text) is not None, _dedented(text)
    if is_body and task.entry and re.search(_HEAD.format(re.escape(task.entry[0])), plain) and _parsed(plain):
        return None  # a program of its own that is indented as a whole
    if task.language != "python":
        return _ended(task.starter) + text if is_body else None
    cut = text if is_fenced else _cut(text)
    for rest in (text, cut):
        if not is_body and _parsed(rest) is not None:
            return None  # a program of its own, or a word that parses ("Hello")
        for joined in _joins(task.starter, rest, is_body=is_body):
            if _parsed(joined) is not None:
                return joined
    return _ended(task.starter) + cut if is_body else None


def _joins(starter: str, text: str, *, is_body: bool) -> tuple[str, ...]:
    """How a text may continue the starter. A body often lost its first indent (it was stripped), or every line's."""
    ended, indent = _ended(starter), _indent_of_body(starter)
    stripped = (ended + indent + text.lstrip(), ended + textwrap.indent(text, indent), ended + text)
    return (ended + text, starter + text) if is_body else stripped


_LATER = re.compile(r"\n(?=class |def |async def |@|#|if __name__|print\(|from |import )")
_AFTER_BODY = re.compile(r"\n(?=[^\s)\]}])")


def _cut(text: str) -> str:
    """A completion up to the first later line that begins something else, as base models go on to do."""
    first_line = text.find("\n", len(text) - len(text.lstrip()))
    later = (_AFTER_BODY if _INDENTED.match(text) else _LATER).search(text, first_line) if first_line >= 0 else None
    return text[: later.start() + 1] if later else text


def _ended(starter: str) -> str:
    starter = starter.rstrip(" \t")
    return starter if starter.endswith("\n") else starter + "\n"


def _indent_of_body(starter: str) -> str:
    line = starter.rstrip().rpartition("\n")[2]
    return line[: len(line) - len(line.lstrip())] + ("    " if line.endswith(":") else "")


_IMPORTS = {
    "python": re.compile(r"^(?:import[ \t]+[^\n(]+|from[ \t]+\S+[ \t]+import[ \t]+[^\n(]+)$", re.MULTILINE),
    "cpp": re.compile(r"^(?:#[ \t]*include\b|using\b).*$", re.MULTILINE),
    "java": re.compile(r"^import\b.*;[ \t]*$", re.MULTILINE),
    "javascript": re.compile(r"^(?:import\b|(?:const|let|var)\b.*\brequire\().*$", re.MULTILINE),
}


def _with_starter(text: str, task: _Task) -> str:
    text = _dedented(text) if task.language == "python" else text
    if not task.starter:
        return text
    before = _python_before(text, task) if task.language == "python" else None
    if before is None:
        own = {line.strip() for line in text.split("\n")}  # JavaScript refuses a second `const`
        imports = (found[0] for found in _IMPORTS[task.language].finditer(task.starter))
        before = "\n".join(line for line in imports if line.strip() not in own)
    return _future_first(f"{before.strip()}\n\n{text}") if before.strip() else text


def _python_before(text: str, task: _Task) -> str | None:
    """The starter without the entry and without whatever the text defines itself; None where it does not parse."""
    if not (tree := _parsed(task.starter) or _parsed(_ended(task.starter) + _indent_of_body(task.starter) + "pass")):
        return None
    heads = [node for node in tree.body if isinstance(node, _DEFINITIONS)]
    named = [head for head in heads if {getattr(node, "name", "") for node in ast.walk(head)} & set(task.entry[-1:])]
    own = [*named, *(head for head in heads if re.search(_HEAD.format(head.name), text))]
    return ast.unparse(ast.Module([node for node in tree.body if node not in own], []))


def _future_first(text: str) -> str:
    body = tree.body if "__future__" in text and (tree := _parsed(text)) else []
    future = [node for node in body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    places = {place for node in future for place in range(node.lineno - 1, node.end_lineno or node.lineno)}
    lines = sorted(enumerate(text.split("\n")), key=lambda line: line[0] not in places)
    return "\n".join(line for _, line in lines)


# --- what a text is

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_CODE = (*_DEFINITIONS, ast.Import, ast.ImportFrom, ast.Assign, ast.AugAssign)
_LOOKS = {
    "python": r"^[ \t]*+(?:def |class |import |from |return |(?:for|while|if) .*:|[\w.\[\], ]++[-+*/]?=(?!=)|[\w.]+\()",
    "cpp": r"^[ \t]*+(?:#include\b|(?:using|template|class|struct|int|long|void|bool|auto|string|vector)\b.*[;{(,>]$)",
    "java": r"^[ \t]*+(?:import|package|public|private|static|final|abstract|class|interface|enum|record)\b.*[;{(,]$",
    "javascript": r"^[ \t]*+(?:(?:async )?function\b.*\(|(?:const|let|var) .*=|(?:import|export|class)\b.*[{;])",
}
_INDENTED = re.compile(r"(?:[ \t]*+\n)*+[ \t]++\S")
_HEAD = r"(?m)^(?:(?:async[ \t]+)?def|class)[ \t]+{0}\b"
_COMMENTS = re.compile(r"\A(?:\s*(?://[^\n]*|/\*(?s:.*?)\*/))*+\s*")


def _dedented(text: str) -> str:
    """The text itself, unless its first line is indented."""
    return textwrap.dedent(text) if _INDENTED.match(text) and len(text) <= MAX_PARSED else text


def _is_program(text: str, language: str) -> bool:
    """Whether an unfenced text is code, and more than words that happen to parse: "Hello", "Answer: 42"."""
    if language != "python":
        return re.match(_LOOKS[language], _COMMENTS.sub("", text, count=1), re.MULTILINE) is not None
    nodes = _statements(tree) if (tree := _parsed(_dedented(text))) else ()
    return any(isinstance(node, _CODE) or isinstance(getattr(node, "value", None), ast.Call) for node in nodes)


def _parsed(text: str) -> ast.Module | None:
    """The text as Python, where it is that: `ast.parse` alone does not mind a `return` outside of a function."""
    if len(text) > MAX_PARSED:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in a string is the response's matter
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    return None if any(isinstance(node, ast.Return) for node in _statements(tree)) else tree


def _statements(tree: ast.Module) -> Sequence[ast.AST]:
    """Every statement that runs when the module does: those of functions and classes do not."""
    found: list[ast.AST] = list(tree.body)
    for node in found:  # which grows meanwhile
        parts = () if isinstance(node, _DEFINITIONS) else ast.iter_child_nodes(node)
        found.extend(part for part in parts if isinstance(part, ast.stmt | ast.excepthandler | ast.match_case))
    return found


_TYPED = r"[\w>\]][ \t]*+[&*]?[ \t]*+\b(?<!return )(?<!else ){0}\s{{0,20}}+\([^;{{}}]{{0,200}}+\{{"
_DEFINES = {
    "python": r"^[ \t]*+(?:(?:async[ \t]+)?def[ \t]+{0}[ \t]*[\[(]|class[ \t]+{0}\b)|^{0} *= *(?:lambda\b|[\w.]+$)",
    "javascript": r"\bfunction[ *]+{0}\b|\b{0} *[:=] *(?:async|function|\(|\w+ *=>)|^ *+{0} *\([^;{{}}]{{0,200}}+\{{",
}


def _defines(text: str, names: Sequence[str], language: str) -> bool:
    """Whether a text defines every part of a dotted name."""
    *classes, name = (re.escape(name) for name in names)
    patterns = [
        _DEFINES.get(language, _TYPED).format(name),
        *(rf"\b(?:class|struct)[ \t]+{part}\b" for part in classes),
    ]
    return all(re.search(pattern, text, re.MULTILINE) for pattern in patterns)
