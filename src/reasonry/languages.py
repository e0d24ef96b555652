"""In which language a text is written: its prose, without formulas, code and quotations; and in which scripts.

A script that only one language here uses decides by itself (kana, Hangul, Thai, ...); English is known by its commonest
words; for all else the model of py3langid is asked, with its probabilities. A text of too few letters is of no
language: a formula is everybody's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from reasonry.errors import PartError

__all__ = [
    "LANGUAGES",
    "NAMES",
    "UNDETERMINED",
    "Language",
    "foreign_letters",
    "is_plainly_english",
    "language_of",
    "need_language_model",
    "prose",
    "script_counts",
]


@dataclass(frozen=True, slots=True)
class Language:
    """What a text is written in. `code` None: too little prose to say. `confidence` is a probability."""

    code: str | None
    confidence: float


UNDETERMINED = Language(None, 0.0)

_SPOKEN = {
    "latin": "af Afrikaans, az Azerbaijani, ca Catalan, cs Czech, cy Welsh, da Danish, de German, en English,"
    " es Spanish, et Estonian, eu Basque, fi Finnish, fr French, ga Irish, ha Hausa, hr Croatian,"
    " hu Hungarian, id Indonesian, is Icelandic, it Italian, lt Lithuanian, lv Latvian, ms Malay, nl Dutch,"
    " no Norwegian, pl Polish, pt Portuguese, ro Romanian, sk Slovak, sl Slovenian, so Somali, sq Albanian,"
    " sv Swedish, sw Swahili, tl Tagalog, tr Turkish, uz Uzbek, vi Vietnamese, yo Yoruba, zu Zulu",
    "cyrillic": "be Belarusian, bg Bulgarian, kk Kazakh, ky Kyrgyz, mk Macedonian, mn Mongolian, ru Russian,"
    " sr Serbian, uk Ukrainian",
    "arabic": "ar Arabic, fa Persian, ps Pashto, ur Urdu",
    "devanagari": "hi Hindi, mr Marathi, ne Nepali",
    "bengali": "as Assamese, bn Bengali",
    "armenian": "hy Armenian",
    "ethiopic": "am Amharic",
    "georgian": "ka Georgian",
    "greek": "el Greek",
    "gujarati": "gu Gujarati",
    "gurmukhi": "pa Punjabi",
    "han": "zh Chinese",
    "hangul": "ko Korean",
    "hebrew": "he Hebrew",
    "kana": "ja Japanese",
    "kannada": "kn Kannada",
    "khmer": "km Khmer",
    "lao": "lo Lao",
    "malayalam": "ml Malayalam",
    "myanmar": "my Burmese",
    "odia": "or Odia",
    "sinhala": "si Sinhala",
    "tamil": "ta Tamil",
    "telugu": "te Telugu",
    "thai": "th Thai",
}
_SPLIT = {script: [entry.split() for entry in listed.split(", ")] for script, listed in _SPOKEN.items()}
_BY_SCRIPT = {script: [code for code, _ in entries] for script, entries in _SPLIT.items()}

LANGUAGES: Mapping[str, str] = {code: script for script, codes in _BY_SCRIPT.items() for code in codes}
"""The languages that are told apart (ISO 639-1), each with the script it is mostly written in."""

NAMES: Mapping[str, str] = {code: name for entries in _SPLIT.values() for code, name in entries}
"""Their names in English."""

# First and last code point of each stretch of letters (Unicode 15, Blocks.txt).
_LETTERS: list[tuple[int, int, str]] = [
    (0x41, 0x5A, "latin"),
    (0x61, 0x7A, "latin"),
    (0xC0, 0xD6, "latin"),
    (0xD8, 0xF6, "latin"),
    (0xF8, 0x24F, "latin"),
    (0x370, 0x3FF, "greek"),
    (0x400, 0x52F, "cyrillic"),
    (0x531, 0x587, "armenian"),
    (0x5D0, 0x5EA, "hebrew"),
    (0x620, 0x64A, "arabic"),
    (0x66E, 0x6D5, "arabic"),
    (0x750, 0x77F, "arabic"),
    (0x900, 0x963, "devanagari"),
    (0x980, 0x9E3, "bengali"),
    (0xA01, 0xA65, "gurmukhi"),
    (0xA81, 0xAE5, "gujarati"),
    (0xB01, 0xB65, "odia"),
    (0xB82, 0xBE5, "tamil"),
    (0xC00, 0xC65, "telugu"),
    (0xC80, 0xCE5, "kannada"),
    (0xD00, 0xD65, "malayalam"),
    (0xD81, 0xDDF, "sinhala"),
    (0xE01, 0xE3A, "thai"),
    (0xE40, 0xE4E, "thai"),
    (0xE81, 0xEC6, "lao"),
    (0x1000, 0x103F, "myanmar"),
    (0x10A0, 0x10FF, "georgian"),
    (0x1100, 0x11FF, "hangul"),
    (0x1200, 0x139F, "ethiopic"),
    (0x1780, 0x17D3, "khmer"),
    (0x1E00, 0x1EFF, "latin"),
    (0x1F00, 0x1FFF, "greek"),
    (0x3041, 0x30FF, "kana"),
    (0x3131, 0x318E, "hangul"),
    (0x31F0, 0x31FF, "kana"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xAC00, 0xD7A3, "hangul"),
    (0xF900, 0xFAFF, "han"),
    (0xFB50, 0xFDFB, "arabic"),
    (0xFE70, 0xFEFC, "arabic"),
    (0x20000, 0x323AF, "han"),
]
_SCRIPTS = sorted({script for _, _, script in _LETTERS})
# A sign of these scripts says about as much as so many letters of an alphabet.
_WEIGHT = {"han": 3, "hangul": 2, "kana": 2}

_READ = 4_000  # characters of which the prose is taken
_FEWEST_WORDS = 3  # in Latin letters
_SAMPLE = 300  # characters of prose: more of it decides no better, and the model takes a microsecond for each
_SURE_WORDS = 2
_SURE_SHARE = 0.2


def language_of(text: str, *, min_letters: int = 12) -> Language:
    """The language of the beginning of a text; `UNDETERMINED` where its prose has fewer letters than that.

    Half as many do for scripts other than Latin. Raises PartError where py3langid is asked and not installed.
    """
    sample = prose(text, _SAMPLE)
    if sample.isascii():
        if len(sample) < min_letters or sample.count(" ") < _FEWEST_WORDS - 1:
            return UNDETERMINED
        return Language("en", 1.0) if _is_surely_english(sample) else _asked(sample)
    weights = {script: count * _WEIGHT.get(script, 1) for script, count in script_counts(sample).items()}
    if not weights:
        return UNDETERMINED
    if (kana := weights.get("kana", 0)) * 10 >= weights.get("han", 0) > 0:  # Japanese is written in both
        weights["kana"] = weights.pop("han", 0) + kana
    script, total = max(sorted(weights), key=weights.__getitem__), sum(weights.values())
    if total < (min_letters if script == "latin" else min_letters // 2):
        return UNDETERMINED
    of_script = _BY_SCRIPT[script]
    if len(of_script) == 1:
        return Language(of_script[0], weights[script] / total)
    return Language("en", 1.0) if script == "latin" and _is_surely_english(sample) else _asked(sample)


def script_counts(text: str) -> dict[str, int]:
    """How many letters of each script a text has."""
    if not text:
        return {}
    import numpy as np

    starts, stops, scripts = _letter_table()
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    stretch = np.searchsorted(starts, points, side="right") - 1
    is_letter = (stretch >= 0) & (points <= stops[stretch])
    counts = np.bincount(scripts[stretch[is_letter]], minlength=len(_SCRIPTS))
    return {script: int(count) for script, count in zip(_SCRIPTS, counts, strict=True) if count}


# Of UTF-8: what is ASCII, goes on with a character, or begins Latin, Greek, signs, arrows, mathematics, emoji.
_FAMILIAR = bytes([*range(0xD0), 0xE2, *range(0xF0, 0x100)])


def foreign_letters(text: str) -> int:
    """How many characters of a text may be letters of a script that is neither Latin nor Greek: a cheap upper bound."""
    return 0 if text.isascii() else len(text.encode("utf-8", "surrogatepass").translate(None, _FAMILIAR))


@cache
def _letter_table() -> tuple[Any, Any, Any]:
    """Starts, stops and scripts of the stretches of letters, as arrays."""
    import numpy as np

    starts, stops, names = zip(*_LETTERS, strict=True)
    scripts = [_SCRIPTS.index(name) for name in names]
    return np.array(starts, np.uint32), np.array(stops, np.uint32), np.array(scripts, np.int64)


# --- prose

# Every stretch is bounded, so that no text costs more than its length.
_NO_PROSE = re.compile(
    r"```.{0,4000}?```|`[^`\n]{0,200}`"  # code
    r"|\$\$.{0,1000}?\$\$|\$[^$]{0,500}\$|\\\[.{0,1000}?\\\]|\\\(.{0,500}?\\\)"  # formulas
    r"|\\(?:begin|end)\{[^}\n]{0,30}\}|\\[a-zA-Z]+"
    r"|(?:https?://|www\.)\S{1,300}"
    r"|\"[^\"\n]{10,300}\"|“[^”\n]{10,300}”|«[^»\n]{10,300}»",  # quotations
    re.DOTALL,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def prose(text: str, limit: int | None = None) -> str:
    """The words of the beginning of a text, without formulas, code, addresses, quotations, numbers and names of points.

    At most `limit` characters of them.
    """
    begun = text[:_READ]
    written = _NO_PROSE.sub(" ", begun.lower() if begun.isupper() else begun)
    words = [word for word in _WORD.findall(written) if not _is_name(word)]
    return " ".join(words)[:limit]


def _is_name(word: str) -> bool:
    """Whether a word is a variable or a point: `x`, `π`, `ABC`."""
    return (len(word) == 1 and word < "\u0900") or (len(word) <= 4 and word.isascii() and word.isupper())


# --- English without the model: the same verdict, twenty times faster

# Words of English that no other language written in Latin letters has among its common ones.
_COMMON = """the of and what which how many much find that this there with from each has have had been were will would
if when are is it for by following given number value then they their its who does did was be not can let where such"""
_ENGLISH = frozenset(_COMMON.split())
# Of these, the ones that are words elsewhere too (Dutch, Danish, German): not enough by themselves.
_ELSEWHERE = "of is for by had was be let were it if when its who then"
_SHARED = frozenset(_ELSEWHERE.split())


def is_plainly_english(text: str) -> bool:
    """Whether the first words of a text, whatever else they are, hold several of the commonest ones of English."""
    return any(len(_PLAIN.intersection(text[:glance].lower().split())) >= _PLAIN_WORDS for glance in _GLANCES)


_PLAIN = _ENGLISH - _SHARED
_GLANCES = (300, 1_500)  # characters: the first are mostly enough
_PLAIN_WORDS = 3


def _is_surely_english(sample: str) -> bool:
    words = sample.lower().split()
    known = _ENGLISH.intersection(words)
    if len(known - _SHARED) < _SURE_WORDS:
        return False
    return sum(word in known for word in words) >= _SURE_SHARE * len(words)


# --- the model


def _asked(sample: str) -> Language:
    code, confidence = _model().classify(sample)
    return Language(str(code), float(confidence))


def need_language_model() -> None:
    """Import py3langid. Raises PartError, with the command that installs it, where it lacks."""
    try:
        import py3langid  # noqa: F401 # pyright: ignore[reportUnusedImport]
    except ImportError as exc:
        raise PartError(
            "telling languages apart needs py3langid, which is not installed", hint="pip install 'py3langid>=0.4'"
        ) from exc


@cache
def _model() -> Any:
    need_language_model()
    from py3langid import langid

    model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    model.set_languages(list(LANGUAGES))
    return model
