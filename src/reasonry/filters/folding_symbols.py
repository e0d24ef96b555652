"""One spelling for each symbol: what LaTeX writes as a command and Unicode as a character.

A row of the table is the spelling in a folded text, the commands of LaTeX and the characters. A command that stands in
no row is a word (`\\alpha` is `alpha`), and so is a Greek letter that stands alone.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["COMMANDS", "SUBSCRIPT", "SUPERSCRIPT", "CharacterSpellings"]

SUPERSCRIPT, SUBSCRIPT = "\ue000", "\ue001"
"""Stand before each raised or lowered character: what they are in the text itself becomes a space."""

_TABLE = (
    ("×", "cdot times ast", "×·⋅∙∗✕✖"),
    ("/", "div", "÷∕⁄"),
    ("-", "", "−‐‑–﹣"),
    ("+-", "pm", "±"),
    ("-+", "mp", "∓"),
    ("<=", "le leq leqslant leqq", "≤≦⩽"),
    (">=", "ge geq geqslant geqq", "≥≧⩾"),
    ("<", "lt", ""),
    (">", "gt", ""),
    ("!=", "ne neq", "≠"),
    ("->", "to rightarrow longrightarrow implies", "→⟶⇒⟹"),
    ("|", "mid vert lvert rvert", "∣"),
    ("||", "lvert_ rvert_", "‖"),
    ("'", "prime", "′ʹ’ʼ"),
    ("''", "", "″"),
    ("{", "lbrace", ""),
    ("}", "rbrace", ""),
    ("mod", "bmod pmod", ""),
    ("approx", "", "≈"),
    ("equiv", "", "≡"),
    ("cong", "", "≅"),
    ("sim", "", "∼"),
    ("iff", "leftrightarrow", "⇔⟺↔"),
    ("degrees", "degree", "°º˚"),
    ("infty", "", "∞"),
    ("sqrt", "", "√"),
    ("sqrt [ 3 ]", "", "∛"),
    ("sum", "", "∑"),
    ("prod", "", "∏"),
    ("int", "", "∫"),
    ("partial", "", "∂"),
    ("nabla", "", "∇"),
    ("in", "", "∈"),
    ("notin", "", "∉"),
    ("cup", "", "∪"),
    ("cap", "", "∩"),
    ("subset", "", "⊂"),
    ("subseteq", "", "⊆"),
    ("emptyset", "varnothing", "∅"),
    ("forall", "", "∀"),
    ("exists", "", "∃"),
    ("neg", "lnot", "¬"),
    ("wedge", "land", "∧"),
    ("vee", "lor", "∨"),
    ("oplus", "", "⊕"),
    ("angle", "", "∠"),
    ("triangle", "", "△∆"),
    ("perp", "", "⊥"),
    ("parallel", "", "∥"),
    ("lfloor", "", "⌊"),
    ("rfloor", "", "⌋"),
    ("lceil", "", "⌈"),
    ("rceil", "", "⌉"),
    ("langle", "", "⟨"),
    ("rangle", "", "⟩"),
    ("ell", "", "ℓ"),
    ("epsilon", "varepsilon", "ϵ"),
    ("phi", "varphi", "ϕ"),
    ("theta", "vartheta", "ϑ"),
    # Layout: nothing is left of it.
    ("", "left right middle big bigl bigr bigg biggl biggr displaystyle textstyle scriptstyle limits nolimits", ""),
    ("", "quad qquad enspace thinspace space hfill newline par noindent hline centering rm bf it item", ""),
    ("", "dots ldots cdots vdots dotsc dotsb frac dfrac tfrac cfrac", "⋯⋮…"),
)

COMMANDS = {command: f" {spelling} " for spelling, commands, _ in _TABLE for command in commands.split()}
_MARKS = {"<super>": SUPERSCRIPT, "<sub>": SUBSCRIPT}
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]")


def _between_spaces(spelling: str) -> str:
    return f" {spelling} " if spelling.isalpha() or not spelling else spelling


class CharacterSpellings(dict[int, str]):
    """For `str.translate`: the spelling of each character, found when it is first met.

    Letters, marks and digits in their compatibility form and without case; other symbols as words of their own; what
    is only punctuation, space or control as a space; what cannot be seen as nothing.
    """

    def __init__(self) -> None:
        super().__init__({code: chr(code).lower() for code in range(128)})
        self |= {ord(char): _between_spaces(spelling) for spelling, _, chars in _TABLE for char in chars}

    def __missing__(self, code: int) -> str:
        character = chr(code)
        form = unicodedata.normalize("NFKC", character)
        mark = _MARKS.get(unicodedata.decomposition(character).partition(" ")[0], "")
        if unicodedata.decomposition(character).startswith("<fraction>"):
            form = f" {form}"  # 1½ is not 11/2
        spelled = _spelled(character) if form == character else "".join(mark + self[ord(part)] for part in form)
        self[code] = spelled
        return spelled


def _spelled(character: str) -> str:
    kind = unicodedata.category(character)
    if kind[0] in "LM":
        return f" {character} " if _IDEOGRAPH.match(character) else character.casefold()
    if kind == "Nd":
        return str(unicodedata.digit(character))
    if kind[0] in "NS":
        return f" {character} "
    return "" if kind == "Cf" else " "
