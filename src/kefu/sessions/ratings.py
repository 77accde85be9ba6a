"""What visitors think of the people who served them: once per episode, up to a day after its end.

The score stands in the episode and in the stint of whoever had it last; the words stand in the log.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, ClassVar, Literal, get_args

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.clock import now_ms
from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text
from kefu.log.log import VISITOR, Entry, Fact, read_last
from kefu.sessions.models import Episode, Stint, stream_of
from kefu.sessions.service import locked, record
from kefu.sessions.states import Move

Reason = Literal[
    "solved", "quick", "friendly", "competent", "unsolved", "slow", "unfriendly", "unclear", "too_many_handovers"
]
WINDOW = timedelta(hours=24)
SHOWN = 20
# Those for 4 and 5 stars first.
REASONS: dict[Reason, Text] = {
    "solved": {"en": "My problem was solved", "zh": "问题得到解决"},
    "quick": {"en": "Quick answers", "zh": "回复及时"},
    "friendly": {"en": "Friendly", "zh": "态度友好"},
    "competent": {"en": "Knew the subject", "zh": "专业可靠"},
    "unsolved": {"en": "My problem is not solved", "zh": "问题没有解决"},
    "slow": {"en": "Slow answers", "zh": "回复太慢"},
    "unfriendly": {"en": "Unfriendly", "zh": "态度不佳"},
    "unclear": {"en": "Hard to understand", "zh": "解释不清楚"},
    "too_many_handovers": {"en": "Passed around", "zh": "多次转接"},
}
PRAISE = set(get_args(Reason)[:4])


class NotRatable(Conflict):
    code = "NOT_RATABLE"
    text: ClassVar[Text] = {
        "en": "There is no service to rate here: nobody has served you yet, or it was more than a day ago.",
        "zh": "暂无可评价的服务：人工服务尚未结束，或已超过 24 小时。",
    }


class AlreadyRated(Conflict):
    """`score`: what was given."""

    code = "ALREADY_RATED"
    text: ClassVar[Text] = {"en": "You have rated this already. Thank you!", "zh": "您已评价过本次服务，谢谢！"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`score`: 1 to 5."""

    score: int
    comment: str = ""
    reasons: tuple[Reason, ...] = ()


async def rate(tx: AsyncSession, name: str, verdict: Verdict) -> Entry:
    """The visitor's word on the last episode that a person served and ended.

    What happens now (the bot, another wait, another agent) does not matter. Raises SessionNotFound, NotRatable,
    AlreadyRated.
    """
    session = await locked(tx, name)
    episode = await last_served(tx, name)
    if episode is None:
        raise NotRatable
    if episode.rating is not None:
        raise AlreadyRated(score=episode.rating)
    if not is_open(episode):
        raise NotRatable
    episode.rating = verdict.score
    await tx.execute(_last_stint(episode).values(rating=verdict.score))
    facts = {"episode": episode.number, **asdict(verdict)}
    (rated,) = await record(tx, session, Fact("session.rated", VISITOR, facts))
    return rated


async def last_served(tx: AsyncSession, name: str) -> Episode | None:
    """The newest episode that an agent had and that was released or closed."""
    query = select(Episode).where(Episode.session == name, Episode.taken_at.is_not(None))
    query = query.where(Episode.ended_by.in_([Move.RELEASE.value, Move.CLOSE.value]))
    return (await tx.scalars(query.order_by(Episode.number.desc()).limit(1))).first()


def is_open(episode: Episode) -> bool:
    """Whether it may be rated now."""
    return episode.rating is None and now_ms() <= open_until(episode)


def open_until(episode: Episode) -> int:
    """When the time to rate it is up, ms."""
    return (episode.ended_at or 0) + int(WINDOW.total_seconds() * 1000)


async def verdicts(tx: AsyncSession, name: str) -> list[Entry]:
    """The newest ratings of the session, oldest first."""
    return await read_last(tx, stream_of(name), SHOWN, types=("session.rated",), public_only=False)


def _last_stint(episode: Episode) -> Any:
    of_episode = (Stint.session == episode.session, Stint.episode == episode.number)
    last = select(func.max(Stint.seq)).where(*of_episode).scalar_subquery()
    return update(Stint).where(*of_episode, Stint.seq == last)
