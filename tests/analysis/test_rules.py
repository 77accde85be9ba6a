"""What the rules read out of one message, and how sure they say they are."""

import pytest
from evals.analysis.__main__ import LANGUAGES, cases, report, weaknesses

from kefu.analysis.rules import LOOKED_AT, analyse, counted


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("I am happy with it", "positive"),
        ("I am not happy with it", "negative"),
        ("It's not bad at all, thanks", "positive"),
        ("Where is my order?", "neutral"),
        ("服务很好", "positive"),
        ("我对服务不满意", "negative"),
        ("没有问题，谢谢", "positive"),
        ("battery又坏了，really disappointed", "negative"),
        ("yeah sure, thanks for nothing", "negative"),
        ("", "neutral"),
        ("🚲🚲", "neutral"),
    ],
)
def test_negation_turns_what_it_stands_before(text: str, sentiment: str) -> None:
    assert analyse(text).sentiment.label == sentiment


def test_a_reading_names_the_rule_the_words_and_how_sure_it_is() -> None:
    plain, many = analyse("I need it today").urgency, analyse("URGENT: brakes failed, emergency, help today").urgency
    assert (plain.rule, plain.words) == ("urgency.high", ("need it", "today"))
    assert many.margin > plain.margin
    assert "brakes failed" in many.words
    assert 0 < plain.sure < 1


def test_how_sure_it_is_was_counted_and_differs_by_what_was_found() -> None:
    texts = ("where is my parcel", "my motor is dead", "hello", "refund please", "订单什么时候发货", "下单多少钱", "hm")
    sure = {analyse(text).intent.sure for text in texts}
    assert len(sure) > 4
    assert {kind.split(".")[0] for kind in counted()} == set(LANGUAGES)


def test_a_wish_for_something_new_is_told_from_a_request() -> None:
    assert analyse("It would be great if the F2 had a bigger rack").requirement.label == "yes"
    assert analyse("希望出一款皮带传动的").requirement.label == "yes"
    assert analyse("please send me the invoice").requirement.label == "no"


def test_a_very_long_message_is_read_up_to_a_bound() -> None:
    assert analyse("word " * 1_000_000 + "terrible scam").sentiment.label == "neutral"
    assert analyse("x" * (LOOKED_AT - 20) + " terrible scam").sentiment.label == "negative"


def test_the_rules_are_as_good_on_the_labelled_lines_as_was_measured() -> None:
    found = cases()
    lines = {(one.lang, one.id) for one in found}
    assert min(sum(lang == wanted for lang, _ in lines) for wanted in LANGUAGES) >= 200
    assert weaknesses(report(found)) == []
