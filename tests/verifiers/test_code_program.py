"""Which program a response gives: fenced, whole, or the rest of starter code; and what is no program at all."""

from __future__ import annotations

import ast
import io
import json
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from reasonry.verifiers.code_program import LANGUAGES, extract_program

STARTER = 'def double(x: int) -> int:\n    """Twice a number."""\n'
LEETCODE = "class Solution:\n    def twoSum(self, nums: List[int], target: int) -> List[int]:\n        "


def taken(response: str, language: str = "python", **options: str) -> tuple[str, str, int] | None:
    """The program without white space around, its rule and its block."""
    program = extract_program(response, language, **options)
    return program and (program.text.strip(), program.rule, program.block)


def text_of(response: str, language: str = "python", **options: str) -> str:
    program = extract_program(response, language, **options)
    assert program is not None
    return program.text


def definition(program: str, name: str) -> str:
    """The function of that name that counts, which is the last, in a form without its layout."""
    tree = ast.parse(program)
    return [ast.dump(node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name][-1]


# --- the block that is taken


def test_the_last_block_is_taken() -> None:
    reply = "First try:\n```python\nx = 1\n```\nThat is wrong. Better:\n```python\nx = 2\n```\nDone."
    assert taken(reply) == ("x = 2", "fence", 1)


@pytest.mark.parametrize(
    ("language", "tags"),
    [
        ("python", "python|Python|PYTHON|python3|Python3.11|py|py3|{.python}|{python}|{.python .numberLines}"),
        ("python", ' python|python title="x.py"|python:main.py|python {1,3}|python,linenos|pypy3|Python 3'),
        ("cpp", "cpp|c++|C++|C++17|cpp20|cc|cxx"),
        ("javascript", "js|javascript|JavaScript|node|nodejs|mjs"),
        ("java", "java|Java|java17"),
    ],
)
def test_a_tag_names_its_language(language: str, tags: str) -> None:
    for tag in tags.split("|"):
        assert taken(f"Here:\n```{tag}\na = b;\n```", language) == ("a = b;", "fence", 0), tag


@pytest.mark.parametrize(
    "tag", ["text", "output", "bash", "json", "sql", "pycon", "plaintext", "javascript", "java", "c"]
)
def test_a_block_of_another_language_is_never_taken(tag: str) -> None:
    assert taken(f"```{tag}\nx = 1\n```") is None
    assert taken(f"```python\nx = 2\n```\n```{tag}\nx = 1\n```") == ("x = 2", "fence", 0)


def test_javascript_is_no_java_and_java_no_javascript() -> None:
    both = "```java\nclass A {}\n```\n```javascript\nlet a = 1;\n```"
    assert text_of(both, "java").startswith("class A")
    assert text_of(both, "javascript").startswith("let a")


def test_an_untagged_block_counts_only_where_none_is_tagged() -> None:
    assert taken("```\nx = 1\n```\n```python\nx = 2\n```\n```\nx = 3\n```") == ("x = 2", "fence", 1)
    assert taken("```\nx = 1\n```\nor\n```\nx = 2\n```") == ("x = 2", "fence-any", 1)


def test_an_untagged_block_of_output_is_not_taken_for_the_program_before_it() -> None:
    reply = "```\nn = int(input())\nprint(n)\n```\nFor the sample it prints\n```\n5 3\n1 2\n```"
    assert taken(reply) == ("n = int(input())\nprint(n)", "fence-any", 0)


def test_the_last_untagged_block_is_taken_where_none_looks_like_a_program() -> None:
    assert taken("See\n```\na b\n```\nand\n```\nc d\n```") == ("c d", "fence-any", 1)


@pytest.mark.parametrize("fence", ["```", "````", "~~~", "~~~~~~"])
def test_a_fence_is_ended_by_its_own_kind(fence: str) -> None:
    other = "~~~" if fence[0] == "`" else "```"
    program = f'x = """\n{other}\n"""'
    assert taken(f"{fence}python\n{program}\n{fence}\nsaid") == (program, "fence", 0)


def test_a_longer_fence_holds_a_shorter_one() -> None:
    program = 'doc = """\n```\n1\n```\n"""'
    assert taken(f"````python\n{program}\n````") == (program, "fence", 0)


def test_a_fence_in_an_indented_docstring_ends_nothing() -> None:
    program = 'def f(x):\n    """Such as\n\n    ```\n    f(1)\n    ```\n    """\n    return x'
    assert taken(f"```python\n{program}\n```") == (program, "fence", 0)


@pytest.mark.parametrize(
    ("opening", "indent"), [("   ```", "   "), ("1. ```", "   "), ("- ```", "  "), ("\t```", "\t")]
)
def test_a_fence_in_a_list_takes_its_indent_along(opening: str, indent: str) -> None:
    body = textwrap.indent("def f():\n    return 1", indent)
    assert taken(f"1. So:\n\n{opening}python\n{body}\n{indent}```\n") == ("def f():\n    return 1", "fence", 0)


def test_a_block_that_the_response_ends_in_counts() -> None:
    assert taken("```python\nx = 1\n```\nBetter:\n```python\nx = 2\nfor i in ra") == ("x = 2\nfor i in ra", "fence", 1)


def test_a_fence_that_closes_at_the_end_of_the_last_line_is_not_of_the_program() -> None:
    assert taken("```python\nprint(1)```\n") == ("print(1)", "fence", 0)


def test_a_block_that_was_never_closed_ends_where_the_next_begins() -> None:
    assert taken("```python\nx = 1\n\nNo, this:\n```python\nx = 2\n```") == ("x = 2", "fence", 1)


def test_a_program_in_a_block_of_markdown_is_found() -> None:
    assert taken("```markdown\n# Answer\n```python\nx = 1\n```\n```") == ("x = 1", "fence", 1)


def test_blank_blocks_are_no_programs() -> None:
    assert taken("```python\nx = 1\n```\n```python\n\n```") == ("x = 1", "fence", 0)
    assert taken("```python\n\n```") is None


def test_a_session_is_no_python_program() -> None:
    assert taken("```python\ndef f(): pass\n```\n```python\n>>> f()\n1\n```") == ("def f(): pass", "fence", 0)
    assert taken("```python\n>>> f()\n1\n```") is None


def test_backticks_in_a_sentence_open_nothing() -> None:
    assert taken("Use ```x = 1``` or so:\n```python\nx = 2\n```") == ("x = 2", "fence", 0)
    assert taken("```x = 1``` is it.\n```python\nx = 2\n```") == ("x = 2", "fence", 0)


# --- reasoning


def test_a_program_in_the_reasoning_does_not_count() -> None:
    assert taken("<think>\n```python\nx = 1\n```\n</think>\n```python\nx = 2\n```") == ("x = 2", "fence", 0)
    assert taken("<think>\n```python\nx = 1\n```\n</think>\nI could not do it.") is None
    assert taken("```python\nx = 1\n```\n</think>\nI could not do it.") is None


def test_reasoning_without_an_end_gives_no_program() -> None:
    assert taken("<think>\n```python\nx = 1\n```\n") is None
    assert taken("```python\nx = 1\n```\n<think>\nWait, no: ") is None


# --- the entry

USAGE = """Here is the solution:

```python
from typing import List

class Solution:
    def twoSum(self, nums: List[int], target: int) -> List[int]:
        return [0, 1]
```

Example usage:

```python
solution = Solution()
print(solution.twoSum([2, 7], 9))
```

It runs in linear time."""


@pytest.mark.parametrize("entry", ["twoSum", "Solution.twoSum", "Solution().twoSum"])
def test_the_block_that_defines_the_entry_is_preferred(entry: str) -> None:
    found = taken(USAGE, entry=entry)
    assert found is not None
    assert found[1:] == ("fence", 0)


def test_without_an_entry_the_last_block_is_taken_even_if_it_is_an_example() -> None:
    found = taken(USAGE)
    assert found is not None
    assert found[2] == 1


def test_the_latest_of_several_definitions_is_taken() -> None:
    reply = "```python\ndef f(): return 1\n```\n```python\ndef f(): return 2\n```\n```python\nprint(f())\n```"
    assert taken(reply, entry="f") == ("def f(): return 2", "fence", 1)


def test_a_definition_that_does_not_parse_is_one() -> None:
    reply = "```python\ndef f(x:\n    return (\n```\n```python\nprint(f(1))\n```"
    assert taken(reply, entry="f") == ("def f(x:\n    return (", "fence", 0)


@pytest.mark.parametrize(
    "line", ["f = lambda x: x", "async def f(x): ...", "def f[T](x: T): ...", "class f: ...", "f = g"]
)
def test_what_defines_a_python_entry(line: str) -> None:
    assert taken(f"```python\n{line}\n```\n```python\ng(2)\n```", entry="f") == (line, "fence", 0)


@pytest.mark.parametrize(
    "line", ["f(1)", "print(f(1))", "x = f(1)", "from a import f", "f == g", "undef f(x)", "deff(x)"]
)
def test_what_does_not_define_a_python_entry(line: str) -> None:
    assert taken(f"```python\n{line}\n```\n```python\ng(2)\n```", entry="f") == ("g(2)", "fence", 1)


@pytest.mark.parametrize(
    ("language", "program", "usage"),
    [
        ("cpp", "vector<int> twoSum(vector<int>& a, int t) {\n}", "int main() { auto r = twoSum(a, 3); }"),
        ("cpp", "auto twoSum(int a) {\n}", "int main() { return twoSum(1, [&]() { return 2; }); }"),
        (
            "cpp",
            "class S {\npublic:\n    int* twoSum(int a)\n    {\n    }\n};",
            "if (ok && twoSum(1)) { return twoSum(2); }",
        ),
        ("java", "class S {\n  public int[] twoSum(int[] a, int t) {\n  }\n}", "int[] r = new S().twoSum(a, 9);"),
        ("javascript", "function twoSum(a, t) {\n}", "console.log(twoSum([1], 1));"),
        ("javascript", "const twoSum = (a, t) => a;", "console.log(twoSum([1], 1));"),
        ("javascript", "var twoSum = function(a) {\n};", "let r = twoSum([1], 1);"),
        ("javascript", "class S {\n  twoSum(a) {\n  }\n}", "let r = new S().twoSum([1]);"),
    ],
)
def test_the_entry_in_other_languages(language: str, program: str, usage: str) -> None:
    assert taken(f"```{language}\n{program}\n```\n```{language}\n{usage}\n```", language, entry="twoSum") == (
        program,
        "fence",
        0,
    )


# --- a response without fences


@pytest.mark.parametrize(
    "program",
    [
        "n = int(input())\nprint(n * 2)",
        "def f(x):\n    return x",
        "class A:\n    pass",
        "import sys",
        "print(5)",
        "x += 1",
        "# so:\nfor _ in range(3):\n    print(1)",
        "with open(0) as f: print(f.read())",
    ],
)
def test_a_response_that_is_a_program(program: str) -> None:
    assert taken(f"{program}\n") == (program, "whole", -1)


@pytest.mark.parametrize(
    "prose",
    [
        *(
            "",
            " \n",
            "Hello",
            "42",
            "x",
            "yes or no",
            "Hello, world",
            "Answer: 42",
            "'quoted'",
            "# only a comment",
            "a < b",
        ),
        *(
            "I cannot do this.",
            "pass",
            "The program is x = 1",
            "return f(x)",
            "Here:\nprint(1)",
            "print(1",
            "x = 1\n\0",
        ),
    ],
)
def test_a_response_that_is_no_program(prose: str) -> None:
    assert taken(prose) is None


@pytest.mark.parametrize(
    ("language", "program"),
    [
        ("cpp", "#include <iostream>\nint main() {\n}"),
        ("cpp", "// fast\n/* two\nlines */\nusing namespace std;\nint main() {}"),
        ("java", "import java.util.*;\n\npublic class Main {\n}"),
        ("javascript", "const a = 1;\nconsole.log(a);"),
        ("javascript", "function f(a) {\n}"),
    ],
)
def test_a_response_that_is_a_program_of_another_language(language: str, program: str) -> None:
    assert taken(program, language) == (program, "whole", -1)
    assert taken("The integer is 5, the class is full, and we let it be.", language) is None
    assert taken(f"Here is it:\n{program}", language) is None


def test_the_end_of_a_fence_whose_opening_stood_in_the_prompt() -> None:
    assert taken("def f(x):\n    return x\n```\nThis function returns x.") == ("def f(x):\n    return x", "whole", -1)


def test_an_unknown_language_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no language 'cobol': one of python"):
        extract_program("x", "cobol")


# --- starter code


@pytest.mark.parametrize(
    "completion",
    [
        "    return 2 * x\n",
        "\n    return 2 * x\n",
        "return 2 * x",
        "    y = x\n    return y + x",
        "y = x\n    return y + x",  # an API stripped it
        "if x:\n        return 2 * x\n    return 0",
        "y = x\nreturn y + x",  # without any indent
        "    def helper(y):\n        return y\n    return helper(2 * x)\n",
    ],
)
@pytest.mark.parametrize("starter", [STARTER, STARTER.rstrip(), STARTER + "    ", "def double(x):\n"])
@pytest.mark.parametrize("dress", ["{}", "```python\n{}\n```"])
def test_the_rest_of_starter_code_continues_it(completion: str, starter: str, dress: str) -> None:
    program = extract_program(dress.format(completion), starter_code=starter, entry="double")
    assert program is not None
    assert program.rule == "continuation"
    scope: dict[str, Any] = {}
    exec(compile(program.text, "program", "exec"), scope)
    assert scope["double"](21) == 42


LATER = [
    *("\n\ndef other(y):\n    return (", "\n\nclass A:\n    x = (", "\n# 1. then we (\nx = (", "\nif __name__ == (\n"),
    *("\nprint(double(", "\n\nassert double(1) == ", "\nThis function doubles.", "\n\n@decorated"),
]


@pytest.mark.parametrize("later", LATER)
def test_a_completion_is_cut_where_something_else_begins(later: str) -> None:
    program = text_of("    return 2 * x" + later, starter_code=STARTER, entry="double")
    assert program == STARTER + "    return 2 * x\n" + "\n" * (later.startswith("\n\n"))


def test_a_completion_that_parses_is_not_cut() -> None:
    rest = "    return helper(x)\n\n\ndef helper(y):\n    return 2 * y\n"
    assert text_of(rest, starter_code=STARTER, entry="double") == STARTER + rest


def test_a_fenced_program_is_never_repaired_by_cutting_it() -> None:
    broken = "def double(x):\n    return 2 * x\n\ndef other("
    assert text_of(f"```python\n{broken}\n```", starter_code=STARTER, entry="double").strip() == broken
    body = "    return 2 * x\n\ndef other("
    assert text_of(f"```python\n{body}\n```", starter_code=STARTER, entry="double") == f"{STARTER}{body}\n"


@pytest.mark.parametrize("prose", ["Hello", "I cannot.", "", "  \n", "Sure, here it is", "42", "# nothing"])
def test_prose_does_not_continue_starter_code(prose: str) -> None:
    assert taken(prose, starter_code=STARTER, entry="double") is None
    assert taken(prose, starter_code="# double a number", entry="double") is None


def test_starter_code_of_a_comment_is_continued_by_a_program() -> None:
    program = text_of("def double(x):\n    return 2 * x\n\ndef other(", starter_code="import math\n# double it\n")
    assert program == "import math\n\ndef double(x):\n    return 2 * x\n\n"


def test_a_program_gets_the_imports_and_the_helpers_of_the_starter_code() -> None:
    starter = "import math\nfrom typing import List\n\ndef helper(x):\n    return x\n\n" + STARTER
    program = text_of("```python\ndef double(x: int) -> List[int]:\n    return helper(x)\n```", starter_code=starter)
    scope: dict[str, Any] = {}
    exec(compile(program, "program", "exec"), scope)
    assert scope["double"](3) == 3
    assert program.index("import math") < program.index("def helper") < program.index("def double")
    assert program.count("def double") == 1


def test_a_head_whose_types_only_the_response_imports_is_left_out() -> None:
    code = "from typing import List\n\nclass Solution:\n    def twoSum(self, nums: List[int]):\n        return 1"
    reply = f"```python\n{code}\n```"
    for entry in ("", "twoSum", "Solution.twoSum"):
        program = text_of(reply, starter_code=LEETCODE, entry=entry)
        exec(compile(program, "program", "exec"), {})
        assert program.count("class Solution") == 1


def test_the_head_of_the_entry_never_stands_in_for_an_answer() -> None:
    for entry in ("double", "twoSum"):
        program = text_of("```python\nprint(1)\n```", starter_code=STARTER + "\n" + LEETCODE, entry=entry)
        assert f"def {entry}" not in program


def test_the_helper_of_the_starter_stays_where_a_method_has_its_name() -> None:
    starter = "def poly(x):\n    return x\n\ndef find(x):\n    pass\n"
    program = text_of(
        "```python\nclass A:\n    def poly(self): ...\ndef find(x): return poly(x)\n```", starter_code=starter
    )
    assert program.startswith("def poly(x):")


def test_of_starter_code_that_does_not_parse_the_imports_are_kept() -> None:
    program = text_of("```python\nx = 1\n```", starter_code="import math\nfrom typing import List\ndef f(x:\n")
    assert program == "import math\nfrom typing import List\n\nx = 1\n"


def test_imports_from_the_future_come_first() -> None:
    reply = "```python\nfrom __future__ import (\n    annotations,\n)\nimport os\nx: 'y' = 1\n```"
    program = text_of(reply, starter_code='"""A module."""\nfrom __future__ import division\nimport sys\n')
    compile(program, "program", "exec", dont_inherit=True)
    assert program.index("annotations") < program.index("import sys") < program.index("import os")


def test_starter_code_in_other_languages() -> None:
    starter = "#include <vector>\nusing namespace std;\nint twice(int x) {\n"
    assert text_of("    return 2 * x;\n}\n", "cpp", starter_code=starter) == starter + "    return 2 * x;\n}\n"
    whole = "```cpp\n#include <vector>\nint twice(int x) { return 2 * x; }\n```"
    assert text_of(whole, "cpp", starter_code=starter).startswith("using namespace std;\n\n#include <vector>")
    script = "```js\nconst fs = require('fs');\nfunction f() {}\n```"
    assert (
        text_of(script, "javascript", starter_code="const fs = require('fs');\nfunction f() {\n").count("require") == 1
    )


# --- characters


def test_debris_of_copying_is_dropped_and_text_is_not() -> None:
    reply = "\ufeff```python\r\nx\u200b = 1\u200d\r\ny = '\U0001f468\u200d\U0001f469'\r\n```\r\n"
    assert taken(reply) == ("x = 1\ny = '\U0001f468\u200d\U0001f469'", "fence", 0)


def test_a_joiner_beside_ascii_is_debris() -> None:
    assert taken("```python\nx = '\u200d\u00e9' + 'a\u200c' + '\u00e9\u200c\u200c'\n```") == (
        "x = '\u00e9' + 'a' + '\u00e9'",
        "fence",
        0,
    )


def test_nul_is_left_for_the_compiler_to_refuse() -> None:
    assert taken("```python\nx = 1\0\n```") == ("x = 1\0", "fence", 0)


# --- properties

BLOCKS = st.lists(
    st.sampled_from(["```", "~~~", "````", "python", "x = 1", "\n", "  ", "def f():", "<think>", "- ", "\t", "é"])
)


@given(BLOCKS.map("".join), st.sampled_from(sorted(LANGUAGES)), st.sampled_from(["", STARTER, LEETCODE, "x = ("]))
def test_any_response_gives_a_program_of_its_text_or_none(response: str, language: str, starter: str) -> None:
    program = extract_program(response, language, starter_code=starter, entry="f")
    if program is not None:
        assert program.text.strip()
        assert program.rule in ("fence", "fence-any", "whole", "continuation")
        assert (program.block >= 0) == program.rule.startswith("fence") or program.rule == "continuation"


@given(st.text(alphabet="abc =()\n:'#", min_size=1).filter(lambda text: bool(text.strip())))
def test_a_block_is_taken_as_it_stands(program: str) -> None:
    assert text_of(f"Said.\n```python\nx = 1\n```\n````python\n{program}\n````\nSaid.").strip() == program.strip() or (
        program.lstrip("\n")[:1] == " "  # an indented first line loses its indent
    )


@pytest.mark.parametrize(
    "response",
    [
        *("```python\n" * 300_000, "```\n" * 300_000, "`" * 3_000_000, "- " * 1_500_000, " " * 3_000_000 + "x"),
        *("\u200d" * 1_000_000, "(" * 190_000, "1" + "+1" * 90_000, "x = 1\n" * 500_000, "/*" * 1_000_000),
        *("```cpp\n" + "a f(" * 500_000, "```cpp\nint" + " " * 3_000_000 + "f", "\n" * 3_000_000),
    ],
    ids=lambda response: repr(response[:10]),
)
@pytest.mark.parametrize("language", ["python", "cpp"])
@pytest.mark.parametrize("starter", ["", STARTER])
def test_megabytes_take_linear_time(response: str, language: str, starter: str) -> None:
    start = time.process_time()
    extract_program(response, language, starter_code=starter, entry="f")
    assert time.process_time() - start < 5


# --- real responses


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8"):
            yield json.loads(line)


def test_the_program_of_every_recorded_contest_reply(shared_data: Path) -> None:
    rules: Counter[str] = Counter()
    for row in rows(shared_data / "recorded" / "livecodebench_o1.jsonl.zst"):
        program = extract_program(row["response"])
        rules[program.rule if program else "none"] += 1
        if program is None:
            assert not row["label"]
            assert not row["response"].strip("`\n").removeprefix("python").strip()
            continue
        by_hand = row["response"].rpartition("```python\n")[2].partition("\n```")[0]
        assert program.text.strip() == by_hand.strip()
        if row["label"]:
            ast.parse(program.text)
    assert rules == {"fence": 816, "none": 2}


def test_completions_that_passed_continue_their_prompt_unchanged(shared_data: Path) -> None:
    tasks = {row["task_id"]: row for row in rows(shared_data / "code" / "humaneval.jsonl.zst")}
    passed = 0
    for row in rows(shared_data / "code" / "codegen16b_labelled_dev.jsonl.zst"):
        if row["label"] == "pass":
            prompt, entry = tasks[row["task_id"]]["prompt"], tasks[row["task_id"]]["entry_point"]
            program = text_of(row["completion"], starter_code=prompt, entry=entry)
            assert program == (prompt + row["completion"]).replace("\r\n", "\n")
            passed += 1
    assert passed > 1000


DRESSES = {
    "whole": "{whole}",
    "fenced, with an example": "Sure:\n\n```python\n{whole}\n```\n\nUsage:\n\n```python\nprint({entry}(1))\n```",
    "in a list": "1. So:\n\n   ```python\n{listed}\n   ```\n",
    "body": "{body}",
    "body, and more": "{body}\n\nprint({entry}(",
    "body, stripped": "{stripped}",
    "body, fenced": "```python\n{body}```",
    "body, without indent": "```python\n{dedented}```",
}


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
def test_a_solution_is_found_in_every_dress(shared_data: Path, dress: str) -> None:
    for task in rows(shared_data / "code" / "humaneval.jsonl.zst"):
        body, entry = task["canonical_solution"], task["entry_point"]
        whole = task["prompt"] + body
        forms = {"whole": whole, "body": body, "entry": entry, "listed": textwrap.indent(whole, "   ", lambda _: True)}
        response = dress.format(**forms, stripped=body.strip(), dedented=textwrap.dedent(body))
        program = text_of(response, starter_code=task["prompt"], entry=entry)
        assert definition(program, entry) == definition(whole, entry), task["task_id"]


def test_the_block_before_the_recorded_output_is_the_program(shared_data: Path) -> None:
    for row in rows(shared_data / "recorded" / "tora_gsm8k.jsonl.zst"):
        program = text_of(row["response"])
        assert program.strip() == row["response"].rpartition("```python\n")[2].partition("\n```")[0].strip()


def test_the_asked_function_is_found_in_recorded_replies(shared_data: Path) -> None:
    found = 0
    for row in rows(shared_data / "recorded" / "meta_prompting_gpt4.jsonl.zst"):
        if row.get("tests") and row["label"] and "```python" in row["response"]:
            found += "def solution(" in text_of(row["response"], entry="solution")
    assert found > 50


def test_an_end_of_turn_token_in_a_fence_is_part_of_the_program() -> None:
    found = extract_program("Here:\n```python\nprint('<s>x</s>')\n```\n</s>```python\nprint(2)\n```")
    assert found is not None
    assert found.text.strip() == "print('<s>x</s>')"
    unfinished = extract_program("```python\nprint(1)\n</s>")
    assert unfinished is not None
    assert unfinished.text.strip() == "print(1)"
