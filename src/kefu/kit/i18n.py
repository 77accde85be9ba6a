"""Which language a caller reads: Chinese or English."""

from typing import Literal

Locale = Literal["zh", "en"]
Text = dict[Locale, str]


def preferred(accept_language: str | None, default: Locale = "en") -> Locale:
    """The first language of an `Accept-Language` header that Kefu speaks, by weight; `default` when none is."""
    best: tuple[float, Locale] | None = None
    for part in (accept_language or "")[:200].split(","):
        tag, _, weight = part.strip().partition(";q=")
        language = tag.strip().lower()[:2]
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if language in {"zh", "en"} and quality > 0 and (best is None or quality > best[0]):
            best = (quality, "zh" if language == "zh" else "en")
    return best[1] if best else default
