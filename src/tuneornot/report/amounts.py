"""Figures as people write them: percent and points, units, intervals, factors, durations.

It knows a metric's ``Scale`` and nothing of what a figure means. Shares (values between 0 and 1
without a unit) are written in percent and their differences in points; everything else keeps its
unit and three significant digits. What is not a finite number is "not determined", never a digit.
"""

from __future__ import annotations

import math

from tuneornot.records import Estimate, Scale

UNKNOWN = "not determined"
MINUS = "\u2212"
_ACRONYMS = ("json", "sql", "xml", "html", "url", "csv", "rouge", "bleu", "usd", "f1", "id")
_SPELT = {"chrf": "chrF", **{word: word.upper() for word in _ACRONYMS}}


def is_share(scale: Scale) -> bool:
    """Whether a metric's values are shares, to be written in percent."""
    return scale.unit == "" and scale.low == 0.0 and scale.high == 1.0


def title(name: str) -> str:
    """A metric's name as words: ``json_schema`` becomes ``JSON schema``."""
    words = name.replace("_", " ").replace("-", " ").split()
    written = [_SPELT.get(word.lower(), word) for word in words]
    text = " ".join(written) or name
    return text[:1].upper() + text[1:]


def number(value: float) -> str:
    """Three significant digits, whole above 100: ``0.412``, ``38.2``, ``1,240``."""
    if not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(size))) if size < 100 else 0
    text = f"{size:,.{min(decimals, 8)}f}"
    return MINUS + text if value < 0 and float(text.replace(",", "")) else text


def signed(value: float, decimals: int | None = None) -> str:
    """A number with its sign; what rounds to zero has none."""
    if not math.isfinite(value):
        return UNKNOWN
    text = number(abs(value)) if decimals is None else f"{abs(value):,.{decimals}f}"
    if not float(text.replace(",", "")):
        return text
    return (MINUS if value < 0 else "+") + text


def level(value: float, scale: Scale) -> str:
    """A value of a metric: ``33.0%``, ``0.412 s``."""
    if not math.isfinite(value):
        return UNKNOWN
    if is_share(scale):
        return f"{value * 100:.1f}%"
    return f"{number(value)} {scale.unit}".rstrip()


def bare(value: float, scale: Scale) -> str:
    """A signed difference without its unit, for the ends of an interval."""
    return signed(value * 100, 1) if is_share(scale) else signed(value)


def difference(value: float, scale: Scale) -> str:
    """A signed difference of a metric: ``+22.0 points``, ``-0.120 s``."""
    if not math.isfinite(value):
        return UNKNOWN
    unit = "points" if is_share(scale) else scale.unit
    return f"{bare(value, scale)} {unit}".rstrip()


def change(value: float, scale: Scale) -> str:
    """A difference that cannot be misread where less is better: ``a gain of 1.15 s``."""
    if scale.better == "higher" or not math.isfinite(value):
        return difference(value, scale)
    size = difference(abs(value), scale)
    if not size.startswith("+"):
        return "no difference"
    return f"a {'loss' if value < 0 else 'gain'} of {size.lstrip('+')}"


def apart(value: float, scale: Scale) -> str:
    """Candidate minus baseline with its own sign, for tables that tell both levels.

    An oriented difference reads the wrong way round where less is better, so there it is turned
    back and says what it means: ``−7.78 s, better``.
    """
    if scale.better == "higher" or not math.isfinite(value):
        return difference(value, scale)
    text = difference(-value, scale)
    word = {MINUS: ", better", "+": ", worse"}.get(text[0], "")
    return text + word


def apart_span(estimate: Estimate, scale: Scale) -> str:
    """Both ends of the interval of ``apart``."""
    if scale.better == "higher":
        return span(estimate, scale)
    return f"{bare(-estimate.high, scale)} to {bare(-estimate.low, scale)}"


def margin(value: float, scale: Scale) -> str:
    """A threshold as the study wrote it, without sign or idle zeros: ``5 points``."""
    if is_share(scale):
        points = f"{abs(value) * 100:.4g}"
        return f"{points} point{'' if points == '1' else 's'}"
    return f"{abs(value):.4g} {scale.unit}".rstrip()


def interval(estimate: Estimate, scale: Scale) -> str:
    """The two-sided interval of a difference: ``95% interval +13.1 to +30.9``."""
    return f"{confidence(estimate)} interval {span(estimate, scale)}"


def span(estimate: Estimate, scale: Scale) -> str:
    """Both ends of a difference's interval: ``+13.1 to +30.9``."""
    return f"{bare(estimate.low, scale)} to {bare(estimate.high, scale)}"


def confidence(estimate: Estimate) -> str:
    """An interval's level: ``95%``."""
    return f"{estimate.level * 100:.4g}%"


def factor(value: float) -> str:
    """A ratio: ``1.08 times``."""
    return UNKNOWN if not math.isfinite(value) else f"{_two_decimals(value)} times"


def factor_span(estimate: Estimate) -> str:
    """Both ends of a ratio's interval: ``0.93 to 1.22``."""
    ends = (estimate.low, estimate.high)
    return " to ".join(UNKNOWN if not math.isfinite(end) else _two_decimals(end) for end in ends)


def _two_decimals(value: float) -> str:
    if value >= 1000:  # the baseline hardly varied; the digits would mean nothing
        return "over 1,000"
    return f"{value:.2f}" if value < 10 else number(value)


def p_value(value: float | None) -> str:
    """``p < 0.001``, ``p = 0.034``; empty where there is none."""
    if value is None or not math.isfinite(value):
        return ""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def bare_p(value: float | None) -> str:
    """The same for a column that is called p: ``< 0.001``, ``0.034``."""
    return p_value(value).removeprefix("p ").removeprefix("= ")


def about(count: int) -> str:
    """A planned number of cases, rounded up to two digits because it is a forecast."""
    if count < 10:
        return str(count)
    step = 10 ** (len(str(count)) - 2)
    return f"{math.ceil(count / step) * step:,}"


def count(value: int, noun: str, plural: str = "") -> str:
    """A number and its noun: ``1 case``, ``1,240 calls``."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """``0.4 s``, ``38 s``, ``5 min 12 s``, ``2 h 4 min``."""
    if not math.isfinite(seconds):
        return UNKNOWN
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
