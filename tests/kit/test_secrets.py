"""What is kept sealed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kefu.kit.secrets import Sealer, Unreadable


@given(st.text(max_size=200))
def test_what_is_sealed_opens_again_and_never_looks_the_same(text: str) -> None:
    sealer = Sealer(["one"])
    sealed = sealer.seal(text)
    assert sealer.open(sealed) == text
    assert sealed != sealer.seal(text)
    assert sealed.isascii()


def test_the_newest_key_seals_and_the_old_ones_open() -> None:
    old, both, new = Sealer(["old"]), Sealer(["new", "old"]), Sealer(["new"])
    sealed = old.seal("secret")
    assert both.open(sealed) == "secret"
    assert new.open(both.reseal(sealed)) == "secret"
    with pytest.raises(Unreadable):
        new.open(sealed)


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAA==", "é"])
def test_what_was_never_sealed_or_was_changed_does_not_open(sealed: str) -> None:
    with pytest.raises(Unreadable):
        Sealer(["one"]).open(sealed)
    good = Sealer(["one"]).seal("secret")
    with pytest.raises(Unreadable):
        Sealer(["one"]).open(good[:-6] + "AAAA" + good[-2:])
