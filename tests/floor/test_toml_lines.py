"""Every key of a TOML file is found, on its own line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reasonry.toml_lines import TomlPath, line_of, toml_lines

EXAMPLE = '''# comment with [brackets] and "quotes"
name = "x" # trailing = comment

[[questions]]
source = "jsonl"
fields = { prompt = "a # b", "odd key" = 'c' }
text = """
[not.a.table]
key = "not a key" \\""" still text
"""
latex = \'\'\'
\\frac{1}{2} = \'\' ok\'\'\'
list = [
  1, # one
  { deep = [ "a]", "b" ] },
]

[questions.spec]
unit = "m"

[[questions]]
source = "csv"
"quoted.key".inner = 1979-05-27 07:32:00
[train.deep]
a.b.c = 1
'''


def paths_of(value: Any, path: TomlPath = ()) -> Iterator[TomlPath]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield (*path, step)
        yield from paths_of(inner, (*path, step))


def test_every_key_of_a_thorny_file_is_on_its_line() -> None:
    lines = toml_lines(EXAMPLE)
    text = EXAMPLE.splitlines()
    for path in paths_of(tomllib.loads(EXAMPLE)):
        line = line_of(lines, path)
        assert line is not None, path
        if isinstance(path[-1], str):
            assert str(path[-1]) in text[line - 1], (path, text[line - 1])
    assert lines[("questions", 0, "list", 1, "deep")] == 15
    assert lines[("questions", 0, "spec", "unit")] == 19
    assert lines[("questions", 1, "source")] == 22


keys = st.text("abcdefgh", min_size=1, max_size=3)
strings = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=10)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Tables with strings, arrays, inline tables and comments; each key is unique in its table."""
    parts = list[str]()
    for number in range(draw(st.integers(0, 4))):
        parts.append(draw(st.sampled_from([f"[t{number}]", "[[many.deep]]", f"[x.y{number}.'q z']"])))
        for key in draw(st.lists(keys, unique=True, max_size=4)):
            value = draw(
                st.one_of(
                    strings.map(quoted),
                    st.integers().map(str),
                    st.lists(strings.map(quoted)).map(lambda items: "[\n" + ",\n".join(items) + "\n]"),
                    strings.map(lambda text: f"{{ inner = {quoted(text)}, other = [1, {{ a = 2 }}] }}"),
                    strings.map(lambda text: '"""\n' + quoted(text)[1:-1] + '\n[z]\n"""'),
                )
            )
            parts.append(f"{key}{draw(st.sampled_from(['=', ' = ']))}{value}{draw(st.sampled_from(['', ' # ]}']))}")
        parts.append(draw(st.sampled_from(["", "# [c]", "\t"])))
    return draw(st.sampled_from(["\n", "\r\n"])).join(parts)


@given(documents())
def test_no_key_of_any_document_is_without_a_line(document: str) -> None:
    lines = toml_lines(document)
    text = document.replace("\r\n", "\n").split("\n")
    for path in paths_of(tomllib.loads(document)):
        line = line_of(lines, path)
        assert line is not None
        if isinstance(path[-1], str) and path in lines:
            assert path[-1] in text[line - 1]
