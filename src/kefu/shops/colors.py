"""Colours of a shop and whether people can read them (contrast of WCAG 2). Pure.

A colour is `#rrggbb`. `web/workbench/src/look/colors.ts` does the same; the tests of both read its `colors.json`.
"""

from typing import Final

from pydantic import BaseModel

AA: Final = 4.5
BLACK, WHITE = "#000000", "#ffffff"
# Of the widget by day and by night (web/tokens.css): its ground, the one that makes words hardest to read, its words.
THEMES: Final = (("#ffffff", "#eceff0", "#1c2325"), ("#1a1f21", "#272e31", "#e9edee"))
SOFT: Final = 0.1


class Palette(BaseModel):
    """What follows from a shop's two colours. `text`: for words of that colour, in light and in dark; each is AA."""

    color: str
    on_color: str
    hover: str
    text: tuple[str, str]


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def palette_of(color: str, on_color: str) -> Palette:
    """`on_color`: of the words and the icon upon `color`. Under the pointer they differ more, never less."""
    away = BLACK if _luminance(on_color) > _luminance(color) else WHITE
    light, dark = (_readable(color, *theme) for theme in THEMES)
    return Palette(color=color, on_color=on_color, hover=_mixed(away, color, 0.12), text=(light, dark))


def _readable(color: str, ground: str, hardest: str, words: str) -> str:
    """The colour, as far towards that of words as it takes to be read on these grounds and on a hint of itself."""
    grounds = (hardest, _mixed(color, ground, SOFT))
    steps = (_mixed(words, color, tenth / 10) for tenth in range(10))
    return next((one for one in steps if min(contrast(one, under) for under in grounds) >= AA), words)


def _mixed(one: str, other: str, part: float) -> str:
    """`part` of the one in the other."""
    pairs = zip(_rgb(one), _rgb(other), strict=True)
    return "#" + "".join(f"{int(a * part + b * (1 - part) + 0.5):02x}" for a, b in pairs)


def _luminance(color: str) -> float:
    red, green, blue = (part / 3294.6 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in _rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[at : at + 2], 16) for at in (1, 3, 5))
