"""How text is cut into words that meet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kefu.kit.i18n import Locale
from kefu.knowledge.passages import BETWEEN, pieces, plain
from kefu.knowledge.vocabulary import Vocabulary, is_one_slip
from kefu.knowledge.words import language_of, terms


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Batteries are charging", "battery charge"),
        ("E-bike, e\u2011bike", "ebike"),
        ("Café", "cafe"),
        ("\uff12\uff15 \uff4b\uff4d\uff0f\uff48", "25km/h"),
        ("500 Wh", "500wh"),
        ("25公里", "25 km"),
        ("step-through", "step through"),
        ("The shop's prices", "shop price"),
    ],
)
def test_these_meet(written: str, asked: str) -> None:
    assert set(terms(asked)) <= set(terms(written))


def test_stop_words_and_marks_are_left_out() -> None:
    assert terms("What is the, of — and?! …") == []
    assert terms("请问你们的是什么？！……") == []


def test_chinese_is_cut_into_words_their_parts_and_characters() -> None:
    assert terms("充电器保修") == ["充电器", "保修", "充电", "电器", "充", "电", "器", "保", "修"]


def test_a_number_keeps_its_unit() -> None:
    assert terms("up to 3.5 kg") == ["3_5kg", "kg"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How long is delivery?", "en"),
        ("多久能到", "zh"),
        ("C1续航多少 km", "zh"),
        ("订单 ABC123 where is it now", "en"),
        ("??? 42", "zh"),
    ],
)
def test_the_language_is_that_of_the_script(text: str, language: Locale) -> None:
    assert language_of(text, "zh") == language


@pytest.mark.parametrize(
    ("typed", "meant"), [("warrenty", "warranty"), ("delivry", "delivery"), ("battrey", "battery")]
)
def test_one_slip_is_forgiven(typed: str, meant: str) -> None:
    assert is_one_slip(typed, meant)
    assert is_one_slip(meant, typed)
    assert Vocabulary(3, {meant: 1}).nearest(typed) == meant


def test_two_slips_are_another_word() -> None:
    assert not is_one_slip("wrranti", "warranty")
    assert Vocabulary(3, {"train": 1}).nearest("trial") is None
    assert Vocabulary(3, {"form": 1}).nearest("from") is None


def test_a_passage_never_runs_over_a_heading_and_a_long_one_is_parted_at_sentences() -> None:
    sentence = "This sentence is one of very many in this paragraph. "
    body = f"Intro.\n\n# **Size** chart\n\nSmall.\n\nLarge.\n\n## Care\n{sentence * 60}"
    found = pieces(body)
    assert [piece.heading for piece in found[:2]] == ["", "Size chart"]
    assert found[1].text == "Small.\n\nLarge."
    care = found[2:]
    assert len(care) > 2
    assert all(
        piece.heading == f"Size chart{BETWEEN}Care" and len(piece.text) <= 900 and piece.text.endswith(".")
        for piece in care
    )
    assert " ".join(piece.text for piece in care) == (sentence * 60).strip()


@given(st.text("Bé退 *_`1.-+=()，&;/:\n", max_size=12))
def test_what_is_not_marked_is_plain_already(text: str) -> None:
    """The short way says what the long one does."""
    assert plain(text) == plain(f"{text}\n\n")


def test_plain_text_has_no_marks() -> None:
    assert plain("**Bold** [link](https://x.example) `code`\n\n- one\n- two") == "Bold link code one two"
