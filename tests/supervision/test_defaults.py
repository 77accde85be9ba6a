"""What the policies that every shop begins with take for an alarm."""

import pytest
import re2

from kefu.supervision.defaults import HURT


@pytest.mark.parametrize("said", ["我摔了一跤，手断了", "孩子的腿骨折了", "膝盖磕破了", "I broke my left arm"])
def test_somebody_is_hurt(said: str) -> None:
    assert re2.search(HURT, said)


@pytest.mark.parametrize("said", ["脚撑断了，上哪儿买个原装的", "头盔的带子断了", "头灯罩破了", "脚踏断了能换吗"])
def test_a_part_called_after_the_body_is_no_wound(said: str) -> None:
    assert not re2.search(HURT, said)
