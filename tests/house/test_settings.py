""".env.example says what kefu/kit/config.py knows, no more and no less."""

import re
from itertools import pairwise

from pydantic import SecretStr

from house.sources import ROOT
from kefu.kit.config import Settings

SETTING = re.compile(r"#?([A-Z][A-Z0-9_]*)=(.*)")


def example() -> dict[str, str]:
    """The names and what stands after them."""
    found = (SETTING.fullmatch(line) for line in (ROOT / ".env.example").read_text().splitlines())
    return {match[1]: match[2] for match in found if match}


def defaults() -> dict[str, str]:
    """The names in the environment and their defaults, as they would be written there."""
    return {str(field.validation_alias): _written(field.default) for field in Settings.model_fields.values()}


def _written(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value)


def test_it_names_every_setting_with_its_default() -> None:
    assert example() == defaults()


def test_every_setting_has_a_comment() -> None:
    lines = ["", *(ROOT / ".env.example").read_text().splitlines()]
    for before, line in pairwise(lines):
        if SETTING.fullmatch(line):
            assert before.startswith("# "), f"{line} is not explained"


def test_it_changes_nothing_when_copied_as_it_is() -> None:
    assert all(line.startswith("#") for line in (ROOT / ".env.example").read_text().splitlines() if line)
