"""One spelling for what is written in many ways: characters, LaTeX's synonyms, delimiters around mathematics."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["spell"]

_CHARACTERS = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ",
    "∙": r"\cdot ", "•": r"\cdot ", "∗": "*", "÷": "/", "∕": "/", "⁄": "/", "π": r"\pi ", "∞": r"\infty ",
    "≤": r"\le ", "⩽": r"\le ", "≦": r"\le ", "≥": r"\ge ", "⩾": r"\ge ", "≧": r"\ge ", "≠": r"\ne ", "≈": r"\approx ",
    "≡": r"\equiv ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∅": r"\emptyset ", "∖": r"\setminus ",
    "½": r"\frac{1}{2}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}",
    "⅕": r"\frac{1}{5}", "⅛": r"\frac{1}{8}", "（": "(", "）": ")", "［": "[", "］": "]", "，": ",", "、": ",",
    "；": ";", "：": ":",
    "∶": ":", "。": ".", "＝": "=", "＋": "+", "－": "-", "％": "%", "’": "'", "‘": "'", "′": "'", "“": '"',
    "”": '"', "≅": r"\approx ", "√": r"\sqrt ", "∛": r"\sqrt[3]", "±": r"\pm ", "∓": r"\mp ", "°": r"^{\circ}",
    "℃": r"^{\circ}C", "→": r"\to ", "⟨": r"\langle ", "⟩": r"\rangle ", "〈": r"\langle ", "〉": r"\rangle ",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}",
    "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "…": r"\ldots ", "⋯": r"\cdots ", "‖": r"\|", "∣": "|", "｜": "|", "≪": "<",
    "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "ε": r"\epsilon ", "θ": r"\theta ",
    "λ": r"\lambda ", "μ": r"\mu ", "ρ": r"\rho ", "σ": r"\sigma ", "τ": r"\tau ", "φ": r"\phi ", "ϕ": r"\phi ",
    "ω": r"\omega ", "Δ": r"\Delta ", "Ω": r"\Omega ", "²": "^{2}", "³": "^{3}", "＜": "<", "＞": ">", "＊": "*",
    "／": "/", "＾": "^", "｛": "{", "｝": "}", "＄": "$", "￥": "¥", "µ": r"\mu ",
}  # fmt: skip
_TABLE = str.maketrans(_CHARACTERS)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋ₙ", "0123456789+-n")
_RAISED_RUN = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+")
_LOWERED_RUN = re.compile("[₀-₉₊₋ₙ]+")
_IN_CHINESE = re.compile(r"根号|根號|或者?|以及|和|及|与|無窮大|无穷大?|度")
_CHINESE = {
    "根号": r"\sqrt ", "根號": r"\sqrt ", "或": " or ", "或者": " or ", "以及": " and ", "和": " and ", "及": " and ",
    "与": " and ", "無窮大": r"\infty ", "无穷": r"\infty ", "无穷大": r"\infty ", "度": r"^{\circ}",
}  # fmt: skip
_EATEN = re.compile(
    "\x0c(?=rac)|\x08(?=egin|oxed|inom|eta)|\t(?=ext\\s*\\{|imes|heta|an\\b|frac|o\\b)|\r(?=ight|angle|ho)"
)
_EATEN_LETTER = {"\x0c": r"\f", "\x08": r"\b", "\t": r"\t", "\r": r"\r"}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DOUBLED = re.compile(r"\\\\(?=[A-Za-z,;!{}()\[\] $%])")
_ROWS = re.compile(r"\\begin|matrix|\\\\\s*\[|cases")
_REPAIRED = (
    (re.compile(r"(?<=\d)\s*\{\s*([A-Za-z]{2,}|[msgh])\s*\}"), r"\\text{ \1}"),  # `4{cm}`
    (re.compile(r"\^\s*\{?\s*\\(?:text|mathrm|mbox|rm)\s*\{\s*(st|nd|rd|th)\s*\}\s*\}?"), r"\\text{ \1}"),
    (re.compile(r"(?<=[\d)}])or(?=[A-Za-z(])"), " or "),
    (re.compile(r"\.(?=\s*[\])}])"), ""),  # a full stop inside of a bracket's end
    (re.compile(r"\\([*_\"])"), r"\1"),  # Markdown's escapes
)
_REPAIRABLE = re.compile(r"[\d)}]or|\d\s*\{|\^|\.\s*[\])}]|\\[*_\"]")
_GROUPED = re.compile(r"(?<=\d)(?:\s?\{\s?,\s?\}|\\,|,\\!\s?|\\!|,\\ ?|~)(?=\d{3}(?!\d))")
_SPACED = re.compile(r"(?<![\d.,_^{])[1-9]\d{0,2}(?: \d{3})+(?![\d/])(?!\\frac)")
_AROUND = ((r"\(", r"\)"), (r"\[", r"\]"), ("$$", "$$"), ("$", "$"), ("**", "**"), ("`", "`"), ('"', '"'))
_LAYERS = 6
_MONEY = re.compile(r"\\?\$\s*(?=[-+]?[\d.])")
_BOX = re.compile(r"^\\(?:boxed|fbox)\s*\{(.*)\}$", re.DOTALL)


def spell(text: str) -> str:
    """One spelling of an answer: ASCII where there is an ASCII form, no delimiters around the whole, no full stop."""
    if not text.isascii():
        text = _ascii(text)
    if _CONTROL.search(text) or "\t" in text or "\r" in text:
        text = _CONTROL.sub("", _EATEN.sub(lambda eaten: _EATEN_LETTER[eaten[0]], text))
    if "\\\\" in text and not _ROWS.search(text):
        text = _DOUBLED.sub(lambda _: "\\", text)
    if "," in text or "\\" in text or "~" in text or " " in text:
        text = _SPACED.sub(lambda digits: digits[0].replace(" ", ""), _GROUPED.sub("", text))
    if _REPAIRABLE.search(text):
        for pattern, instead in _REPAIRED:
            text = pattern.sub(instead, text)
    text = _bare(text)
    return _without_dollars(text) if "$" in text else text


def _ascii(text: str) -> str:
    text = _RAISED_RUN.sub(lambda run: "^{" + run[0].translate(_RAISED) + "}", text)
    text = _LOWERED_RUN.sub(lambda run: "_{" + run[0].translate(_LOWERED) + "}", text)
    text = _IN_CHINESE.sub(lambda word: _CHINESE[word[0]], text.translate(_TABLE))
    return text if text.isascii() else "".join(map(_character, text))


def _character(character: str) -> str:
    """Digits and letters of any script in their plain form; characters that nobody sees as nothing."""
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category in ("Cf", "Cs", "Cc", "Co", "Cn"):
        return ""
    if category == "Zs":
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(character))
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 and plain.isascii() else character


def _bare(text: str) -> str:
    """Without white space, a full stop, and delimiters of mathematics or emphasis around the whole."""
    for _ in range(_LAYERS):
        before = text
        text = text.strip().rstrip('.,;:!" \n').lstrip('" ') if not text.endswith("!") else text.strip()
        if text.endswith("\\") and not text.endswith("\\\\"):
            text = text[:-1]
        for start, end in _AROUND:
            if text.startswith(start) and text.endswith(end) and _is_around(text, start, end):
                text = text[len(start) : -len(end)]
                break
        else:
            if text.startswith(("\\boxed", "\\fbox")):
                text = _unboxed(text)
        if text == before:
            return text
    return text


def _unboxed(text: str) -> str:
    """What a box holds, where it is the whole; also where its last brace is missing."""
    if (box := _BOX.match(text)) and _is_balanced(box[1]):
        return box[1]
    inside = text.partition("{")[2]
    return inside if _is_balanced(inside) else text


def _is_around(text: str, start: str, end: str) -> bool:
    """Whether the delimiters at both ends belong together: `$1$ and $2$` has others inside."""
    inner = text[len(start) : -len(end)]
    return len(text) > len(start) + len(end) and end not in inner.replace(r"\$", "") and not inner.endswith("\\")


def _is_balanced(text: str) -> bool:
    depth = 0
    for character in text.replace(r"\{", "").replace(r"\}", ""):
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    return depth == 0


def _without_dollars(text: str) -> str:
    """Pairs of dollar signs delimit mathematics; `\\$`, and a single one before or behind a number, is money."""
    text = text.replace(r"\$", "\x01")
    count = text.count("$")
    if count % 2 == 0 and not (count and _is_all_money(text)):
        text = text.replace("$", " ")
    return text.replace("\x01", "$")


def _is_all_money(text: str) -> bool:
    """`$5 and $10`: every sign stands before a number and none behind one."""
    return len(_MONEY.findall(text)) == text.count("$") and not re.search(r"[\d}]\s*\$(?!\s*\d)", text)
