"""Contact data and numbers of people, kept from a model: each is a placeholder there and itself again in the answer."""

import re
from collections.abc import Iterator

from kefu.kit.i18n import Locale

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}", re.ASCII)
CN_ID = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# Where a number without a country's code may be from: those of the language's shops, in the order they are tried.
REGIONS: dict[Locale, tuple[str, ...]] = {"zh": ("CN", "DE", "GB"), "en": ("US", "GB", "DE", "FR", "CN")}
PLACEHOLDER = re.compile(r"\[(?:EMAIL|ID|CARD|PHONE)_\d{1,3}\]")
Span = tuple[int, int]


class Placeholders:
    """Of one turn: the same value has the same placeholder wherever it stands."""

    def __init__(self, locale: Locale, *, is_on: bool = True) -> None:
        self._regions = REGIONS[locale]
        self._is_on = is_on
        self._by_value: dict[str, str] = {}
        self._values: dict[str, str] = {}

    def mask(self, text: str) -> str:
        """The text with placeholders. One that somebody typed is none: it would be another person's."""
        text = PLACEHOLDER.sub(lambda found: f"({found[0][1:-1]})", text)
        if not self._is_on:
            return text
        for kind, find in (("EMAIL", _emails), ("ID", _ids), ("CARD", _cards), ("PHONE", self._phones)):
            text = self._hide(text, kind, list(find(text)))
        return text

    def unmask(self, text: str) -> str:
        """Placeholders of this turn become what they stand for; others stay."""
        return PLACEHOLDER.sub(lambda found: self._values.get(found[0], found[0]), text)

    def _hide(self, text: str, kind: str, spans: list[Span]) -> str:
        names = [(start, end, self._name(kind, text[start:end])) for start, end in sorted(spans)]
        for start, end, name in reversed(names):
            text = text[:start] + name + text[end:]
        return text

    def _name(self, kind: str, value: str) -> str:
        plain = re.sub(r"[\s().-]", "", value) if kind != "EMAIL" else value
        if plain not in self._by_value:
            name = f"[{kind}_{sum(one.startswith(f'[{kind}_') for one in self._values) + 1}]"
            self._by_value[plain], self._values[name] = name, value
        return self._by_value[plain]

    def _phones(self, text: str) -> Iterator[Span]:
        """Valid numbers; where two regions find the same digits, the longer reading."""
        from phonenumbers import PhoneNumberMatcher  # noqa: PLC0415 - only who asks a model needs it

        taken: list[Span] = []
        found = {(one.start, one.end) for region in self._regions for one in PhoneNumberMatcher(text, region)}
        for start, end in sorted(found, key=lambda one: (one[0] - one[1], one)):
            if all(end <= other or start >= until for other, until in taken):
                taken.append((start, end))
        yield from taken


def _emails(text: str) -> Iterator[Span]:
    return (found.span() for found in EMAIL.finditer(text))


def _ids(text: str) -> Iterator[Span]:
    return (found.span() for found in CN_ID.finditer(text) if _is_cn_id(found[0]))


def _cards(text: str) -> Iterator[Span]:
    return (found.span() for found in CARD.finditer(text) if _is_card(re.sub(r"\D", "", found[0])))


def _is_cn_id(number: str) -> bool:
    """By the check digit of GB 11643."""
    total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False))
    return number[-1].upper() == "10X98765432"[total % 11]


def _is_card(digits: str) -> bool:
    """By the check digit of Luhn."""
    doubled = [int(digit) * (1 + n % 2) for n, digit in enumerate(reversed(digits))]
    return len(set(digits)) > 1 and sum(one - 9 * (one > 9) for one in doubled) % 10 == 0
