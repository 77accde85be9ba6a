"""What outcomes of golden questions come to."""

from kefu.quality.golden import Golden, Kind, Outcome, version_of
from kefu.quality.scoring import scores


def outcome(kind: Kind, found: str = "", *, answered: bool = False, escalated: bool = False) -> Outcome:
    """`a` is the right article of an answerable question; an answer cites the first one found."""
    golden = Golden("1", "en", kind, "?", ("a",) if kind == "answerable" else ())
    return Outcome(golden, tuple(found), tuple(found[:1]) if answered else (), answered, escalated)


def test_a_share_counts_the_questions_that_speak_for_it() -> None:
    first, third = outcome("answerable", "abc", answered=True), outcome("answerable", "bca", answered=True)
    missed, refused = outcome("answerable", "bcd"), outcome("unanswerable", "b")
    wrong = outcome("unanswerable", "b", answered=True)
    found = {name: (one.value, one.count) for name, one in scores([first, third, missed, refused, wrong]).items()}
    assert found == {
        "recall_1": (0.3333, 3),
        "recall_3": (0.6667, 3),
        "mrr": (0.4444, 3),
        "citation": (0.5, 2),
        "answered_right": (0.3333, 3),
        "refusal": (0.5, 2),
        "false_containment": (0.5, 2),
    }


def test_escalation_is_right_where_it_must_be_and_wrong_elsewhere() -> None:
    asked, kept = outcome("escalate", escalated=True), outcome("escalate", "b", answered=True)
    alarm = outcome("answerable", "a", answered=True, escalated=True)
    found = scores([asked, asked, kept, alarm])
    assert found["escalation_precision"].value == 0.6667
    assert found["escalation_recall"].value == 0.6667
    assert found["escalation_f1"].value == 0.6667
    assert found["false_containment"].value == 0.3333
    assert not alarm.is_right


def test_the_interval_holds_the_value_is_narrow_for_many_and_the_same_each_time() -> None:
    few = [outcome("unanswerable"), outcome("unanswerable", "b", answered=True)] * 5
    small, large = scores(few)["refusal"], scores(few * 20)["refusal"]
    for one in (small, large):
        assert one.low < 0.5 < one.high
    assert large.high - large.low < 0.3 * (small.high - small.low)
    assert scores(few)["refusal"] == small
    assert scores([outcome("unanswerable")] * 9)["refusal"].low == 1.0


def test_a_set_has_another_version_when_any_question_is_another() -> None:
    one, two = Golden("1", "en", "unanswerable", "?"), Golden("2", "en", "unanswerable", "??")
    assert version_of([one, two]) == version_of([two, one])
    assert version_of([one, two]) not in {version_of([one]), version_of([one, Golden("2", "zh", "unanswerable", "??")])}
