"""Whether the passages say what an answer says, and what of it is shown while it is spoken."""

import pytest

from kefu.answering.citing import check
from kefu.answering.pii import Placeholders
from kefu.answering.ports import Doubt
from kefu.answering.saying import Saying
from kefu.kit.i18n import Locale
from kefu.knowledge.search import Hit


def hit(lang: Locale, title: str, text: str) -> Hit:
    return Hit("p", "a", 1, "slug", title, lang, "", text, "", 0.9)


EN = hit(
    "en", "Riding", "The C1 rides at most 25 km/h. The battery lasts 80 km and charges in 4.5 hours. It costs €1,299."
)
ZH = hit("zh", "退货", "签收后 30 天内可以退货，运费由我们承担。电池续航 80 公里，最高车速 25 km/h。")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("The C1 rides at most 25 km/h [1].", [""]),
        ("The C1 rides at most 25 km/h. [1] The battery lasts 80 km.[1]", ["", ""]),
        ("It goes 25 km/h at most and the battery is charged in 4.5 hours [1].", [""]),
        ("1. The battery lasts 80 km [1]\n2. It charges in 4.5 hours [1]", ["", ""]),
        ("- **80 km** with one battery【1】", [""]),
        ("It rides at most 45 km/h [1].", ["numbers"]),
        ("The battery lasts 80 kg [1].", ["numbers"]),
        ("The battery lasts 180 km [1].", ["numbers"]),
        ("Our founder loves opera and cats [1].", ["words"]),
        ("The battery lasts 80 km.", ["uncited"]),
        ("The battery lasts 80 km [7].", ["no_such_passage"]),
        ("The battery lasts 80 km [0].", ["no_such_passage"]),
        ("签收后 30 天内可以退货[2]。", [""]),
        ("签收后30天内都能退货，运费由我们承担。【2】电池续航80公里[2]。", ["", ""]),
        ("最高车速是25公里/小时[2]。", [""]),
        ("签收后 60 天内可以退货[2]。", ["numbers"]),
        ("我们老板喜欢唱歌跳舞[2]。", ["words"]),
        ("You may return it within 30 days [2].", [""]),
        ("You may return it within 31 days [2].", ["numbers"]),
        ("The battery lasts 80 km [1-2].", [""]),
        ("The battery lasts 80 km [1, 2]. 续航 80 公里[1，2]。", ["", ""]),
        ("", []),
        ("[1]", []),
    ],
)
def test_a_sentence_counts_when_the_passage_it_names_says_it(said: str, expected: list[Doubt]) -> None:
    assert [claim.doubt for claim in check(said, [EN, ZH])] == expected


SPOKEN = (
    "Within 30 days [1]. See https://shop.example/a?b=1, not https://evil.example/a. Ask [EMAIL_1] or [PHONE_9][1, 2]! "
    "Or evil.example now.【2】 About 2.5 km, e.g. there. 完。[链接](http://evil.cn/x)"
)
SHOWN = (
    "Within 30 days. See https://shop.example/a?b=1, not https… Ask mei@example.com or [PHONE_9]! "
    "Or evil… now. About 2.5 km, e.g. there. 完。[链接](http…)"
)


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 11, 400])
def test_however_the_pieces_fall_the_same_is_shown(step: int) -> None:
    placeholders = Placeholders("en")
    placeholders.mask("I am mei@example.com")
    saying = Saying(placeholders.unmask, lambda address: "shop.example" in address)
    shown = [saying.hear(SPOKEN[at : at + step]) for at in range(0, len(SPOKEN), step)] + [saying.end()]
    assert "".join(shown) == saying.shown == SHOWN
    assert saying.raw == SPOKEN


def test_what_needs_no_thought_is_shown_at_once() -> None:
    saying = Saying(str, lambda _: True)
    pieces = ["You", " may", " return", " it", " within", " 30", " days"]
    assert [saying.hear(piece) for piece in pieces] == pieces


class TestMasking:
    PHONES = ("13812345678", "+86 138 1234 5678", "+44 20 7946 0958", "+49 30 901820", "(202) 456-1111")
    OTHERS = ("mei.li+shop@example.co.uk", "4111 1111 1111 1111", "6222021234567890128", "11010519491231002X")

    @pytest.mark.parametrize("value", [*PHONES, *OTHERS])
    @pytest.mark.parametrize("around", ["call {} now", "我的是{}，请查", "{}"])
    def test_contact_data_is_a_placeholder_to_others_and_itself_to_its_owner(self, value: str, around: str) -> None:
        placeholders = Placeholders("zh" if "我" in around else "en")
        masked = placeholders.mask(around.format(value))
        assert value not in masked
        assert placeholders.unmask(masked) == around.format(value)
        assert placeholders.mask(value) in masked

    @pytest.mark.parametrize(
        "text",
        ["order FD-10234 of 2026-11-20", "25 km/h, 1,299 euros, 4111 1111 1111 1112", "110105194912310021", "订单2步"],
    )
    def test_other_numbers_stay(self, text: str) -> None:
        assert Placeholders("zh").mask(text) == text

    def test_nobody_can_type_the_placeholder_of_a_value(self) -> None:
        placeholders = Placeholders("en")
        first = placeholders.mask("mei@example.com")
        assert first == "[EMAIL_1]"
        assert placeholders.unmask(placeholders.mask("say [EMAIL_1]")) == "say (EMAIL_1)"

    def test_a_shop_may_do_without(self) -> None:
        assert Placeholders("en", is_on=False).mask("mei@example.com") == "mei@example.com"
