"""How a shop brings those who wait to an agent, and who of the team is the best for one of them: pure decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from kefu.routing.team import Colleague


class Routing(BaseModel):
    """`manual`: agents pick from the queue; `auto`: it is offered to the best of them.

    `accept_seconds`: how long an offer stands, also one that a lead makes by hand.
    """

    mode: Literal["manual", "auto"] = "manual"
    accept_seconds: Annotated[int, Field(ge=10, le=600)] = 60


@dataclass(frozen=True, slots=True)
class Wait:
    """A session that waits and is offered to nobody.

    `tags`: what may match a skill; `last_agent`: who served this visitor last; `passed`: who let it pass in this wait.
    """

    session: str
    locale: str
    tags: frozenset[str]
    last_agent: str | None
    passed: frozenset[str]


def best(wait: Wait, team: Sequence[Colleague], busy_until: Mapping[str, int]) -> Colleague | None:
    """Whom to offer it to, of those on duty with room; None when all of them let it pass.

    Skills, then language, narrow the choice where anybody has them; who lists no language writes any. `busy_until`:
    when each last had a session (ms).
    """
    left = [one for one in team if one.room > 0 and one.id not in wait.passed]
    left = [one for one in left if wait.tags.intersection(map(str.lower, one.skills))] or left
    left = [one for one in left if not one.languages or wait.locale in one.languages] or left

    def place(one: Colleague) -> tuple[bool, bool, int, int, str]:
        load = one.serving + one.offered
        return one.status != "online", one.id != wait.last_agent, load, busy_until.get(one.id, 0), one.id

    return min(left, key=place, default=None)
