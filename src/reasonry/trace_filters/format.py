"""Traces whose form is broken: cut off, without reasoning or response, with marks that belong to a chat template."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import Field

from reasonry.registry import part
from reasonry.trace_filters.each import Fault, RowTraceFilterSection, each
from reasonry.types import Candidate, Drop, Trace
from reasonry.verifiers.extraction import EXPLICIT, extract

__all__ = ["RULES", "FormatSection", "format_"]

RULES = {
    "not_finished": "the teacher ended with an error",
    "truncated": "the teacher stopped at its limit of tokens",
    "empty_response": "nothing follows the reasoning",
    "no_reasoning": 'there is no reasoning (with `reasoning = "required"`)',
    "unclosed_thinking": "the response opens a `<think>` that never ends",
    "stray_think_tag": "a mark of thinking stands inside the reasoning or the response: nested, doubled, left over",
    "template_token": "a token of a chat template: `<|im_end|>`, `</s>`, `[INST]`, `<start_of_turn>`",
    "extra_turn": "the response goes on with a turn of somebody else: `Human:`, `### Instruction:`",
    "unclosed_code": "a fence of code is opened and not closed",
    "cut_off": "the response ends in the middle of a sentence, and has given no answer",
    "no_box": 'the response holds no `\\boxed{...}` (with `box = "required"`)',
}


class FormatSection(RowTraceFilterSection):
    """What a trace must have beyond being whole."""

    reasoning: Literal["optional", "required"] = Field(
        default="optional", description="required: traces without reasoning are dropped"
    )
    box: Literal["optional", "required"] = Field(
        default="optional", description="required: the response must hold a \\boxed{...}"
    )


@part("trace_filter", "format", options=FormatSection, rules=RULES)
def format_(candidates: Iterable[Candidate], options: FormatSection) -> Iterator[Candidate | Drop]:
    """Drop traces that are cut off, empty, or hold marks of thinking or of a chat template."""

    def check(candidate: Candidate) -> Fault | None:
        trace = candidate.trace
        return (
            _unfinished(trace)
            or _missing(trace, options)
            or _marked("reasoning", trace.reasoning, candidate.question.prompt)
            or _marked("response", trace.response, candidate.question.prompt)
            or _next_turn(trace.response, candidate.question.prompt)
            or _broken_off(trace.response)
            or _unboxed(trace, options)
        )

    return each(candidates, options, check)


def _unfinished(trace: Trace) -> Fault | None:
    if trace.finish == "error":
        return Fault("not_finished", "the teacher ended with an error")
    return Fault("truncated", "the teacher stopped at its limit of tokens") if trace.finish == "length" else None


def _missing(trace: Trace, options: FormatSection) -> Fault | None:
    if not trace.response.strip():
        return Fault(
            "empty_response", "nothing follows the reasoning" if trace.reasoning else "the teacher said nothing"
        )
    if options.reasoning == "required" and not trace.reasoning.strip():
        return Fault("no_reasoning", "there is a response and no reasoning")
    return None


def _unboxed(trace: Trace, options: FormatSection) -> Fault | None:
    if options.box == "optional" or "\\boxed" in trace.response:
        return None
    return Fault("no_box", f"no box in '...{_shown(trace.response[-100:])}'")


# --- marks. One search for all that begin with "<" is as fast as one for a fixed string: all alternatives share it.

_MARK = re.compile(
    r"<(?:(?P<think>/?(?:think|thinking|thought|thoughts)>|\|(?:begin|end)_of_(?:thought|solution)\|>)"
    r"|\|(?:im_(?:start|end|sep)|end_?of_?text|begin_of_text|endofprompt|eo[tm]_id|(?:start|end)_header_id|user|assistant"
    r"|system|end|start|message|channel|return|python_tag|pad|sep|[be]os|fim_\w{3,9}|reserved_special_token_\d+)\|>"
    r"|｜[^｜\n]{1,40}｜>|/s>|(?:start|end)_of_turn>|</?SYS>>|(?:eos|bos)>)"
)
_BRACKETED = re.compile(r"\[/?(?:INST|(?P<think>THINK))\]|(?P<signs>◁/?think▷)")
_CLOSINGS = ("</th", "end_of_thought", "[/THINK]", "◁/think▷")
_TURNS = ("\nHuman:", "\n### Instruction", "\n### Human", "\n### Input:")


def _marked(name: str, text: str, prompt: str) -> Fault | None:
    found = _MARK.search(text)
    if found is None and ("INST]" in text or "THINK]" in text or "◁" in text):
        found = _BRACKETED.search(text)
    if found is None:
        return None
    if found.lastgroup is None:
        fault = Fault("template_token", f"{name}: '{_around(text, found)}'")
        return None if found[0] in prompt else fault
    opens = name == "response" and not text[: found.start()].strip() and "/" not in found[0]
    if opens and not any(close in text for close in _CLOSINGS):
        return Fault("unclosed_thinking", f"'{found[0]}' is never closed")
    return Fault("stray_think_tag", f"{name}: '{_around(text, found)}'")


def _next_turn(response: str, prompt: str) -> Fault | None:
    turn = next((turn for turn in _TURNS if turn in response), None)
    return Fault("extra_turn", f"a turn begins with '{turn.strip()}'") if turn and turn.strip() not in prompt else None


def _around(text: str, found: re.Match[str]) -> str:
    return _shown(text[max(0, found.start() - 30) : found.end() + 30])


def _shown(text: str) -> str:
    return " ".join(text.split())


# --- the end

_FENCE = re.compile(r"^\s{0,8}```|(?<=\S)[ \t]{0,8}```[ \t]{0,8}$", re.MULTILINE)
_UNENDING = """the an of and or is are was were to in on at by for with from that which as so then than we if when where
since because be has have this these its their not but let thus therefore hence into using between each all"""
_GOES_ON = frozenset(_UNENDING.split())
_OPEN_ENDS = tuple(",;([{=+-/<\\&^")


def _broken_off(response: str) -> Fault | None:
    if "```" in response and len(_FENCE.findall(response)) % 2:
        return Fault("unclosed_code", f"it ends with '{_shown(response[-60:])}'")
    if _ends_openly(response[-400:].rstrip()) and extract(response, EXPLICIT) is None:
        return Fault("cut_off", f"it ends with '{_shown(response.rstrip()[-60:])}'")
    return None


def _ends_openly(end: str) -> bool:
    """Whether a text ends where no sentence can: at a comma, an operator, an article or a conjunction."""
    if end.endswith(_OPEN_ENDS):
        return not end.endswith(("--", "*/", "=="))
    before, _, word = end.rpartition("\n")[2].rpartition(" ")
    return word in _GOES_ON and len(before) > 2
