"""What a model costs is what the shop says, then the installation, then the catalogue; else nobody knows."""

import pytest

from kefu.ai.catalog import PRICES, Price, price_of

SHOP, INSTALLATION = {"Qwen-Plus": Price(1.0, 2.0)}, {"qwen-plus": Price(3.0, 4.0), "local": Price(0.0, 0.0)}


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("qwen-plus", SHOP["Qwen-Plus"]),
        ("qwen-plus-2025-07-28", SHOP["Qwen-Plus"]),
        ("LOCAL", INSTALLATION["local"]),
        ("gpt-4o-mini-2024-07-18", PRICES["gpt-4o-mini"]),
        ("gpt-4o-2024-08-06", PRICES["gpt-4o"]),
        ("gpt-5.4", None),
        ("gpt-5-pro", None),
        ("qwen-plus-vl", None),
        ("", None),
    ],
)
def test_a_price_is_of_the_model_and_its_editions_alone(model: str, price: Price | None) -> None:
    assert price_of((model,), SHOP, INSTALLATION) == price


def test_a_deployment_has_the_price_of_its_own_name_before_that_of_the_model_in_it() -> None:
    names = ("gpt-4o-mini-2024-07-18", "our-deployment")
    assert price_of(names, {"our-deployment": Price(7.0, 8.0)}) == Price(7.0, 8.0)
    assert price_of(names, {}) == PRICES["gpt-4o-mini"]


def test_prices_of_the_catalogue_say_of_when_they_are() -> None:
    assert all(len(price.as_of) == len("2026-03") for price in PRICES.values())
