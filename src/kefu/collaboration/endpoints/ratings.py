"""A visitor's ratings over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints

from kefu.accounts.identity import SignedIn
from kefu.kit.clock import iso
from kefu.kit.i18n import Locale
from kefu.kit.web import Done, caller_locale
from kefu.log.log import Entry
from kefu.sessions import ratings
from kefu.sessions.access import may_read, own_visitor
from kefu.sessions.models import Episode
from kefu.sessions.queries import find
from kefu.sessions.schemas import Body, NameInPath
from kefu.sessions.service import SessionNotFound

router = APIRouter(tags=["ratings"])


class Rate(Body):
    """`score`: 1 to 5."""

    score: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$", strip_whitespace=True)] = ""
    reasons: Annotated[list[ratings.Reason], Field(max_length=5, default_factory=list)]


class Rating(BaseModel):
    episode: int
    score: int
    comment: str
    reasons: list[ratings.Reason]
    at: str


class RatingData(Done):
    data: Rating


class ReasonOut(BaseModel):
    """`is_praise`: for 4 and 5 stars, the others for fewer."""

    id: ratings.Reason
    name: str
    is_praise: bool


class Ratings(BaseModel):
    """`is_open`: the last episode may be rated, until `open_until`. `ratings`: the newest 20, oldest first."""

    is_open: bool
    open_until: str | None
    ratings: list[Rating]
    reasons: list[ReasonOut]


class RatingsData(Done):
    data: Ratings


@router.post("/api/sessions/{name}/rating", status_code=201)
async def rate(request: Request, name: NameInPath, body: Rate, caller: SignedIn) -> RatingData:
    """The visitor's word on the people who served them last: once per episode, up to 24 hours after its end."""
    own_visitor(caller, name)
    await request.app.state.limits.take("rating", visitor=name)
    verdict = ratings.Verdict(body.score, body.comment, tuple(dict.fromkeys(body.reasons)))
    async with request.app.state.db.write() as tx:
        rated = await ratings.rate(tx, name, verdict)
    return RatingData(data=_shown(rated))


@router.get("/api/sessions/{name}/rating")
async def get_rating(request: Request, name: NameInPath, caller: SignedIn) -> RatingsData:
    """What the visitor said, whether they may say more, and the reasons to choose from, in the caller's language."""
    await may_read(request.app.state.db, caller, name)
    async with request.app.state.db.read() as tx:
        if await find(tx, name) is None:
            raise SessionNotFound(session_name=name)
        episode, said = await ratings.last_served(tx, name), await ratings.verdicts(tx, name)
    data = Ratings(**_window(episode), ratings=[_shown(one) for one in said], reasons=_reasons(caller_locale(request)))
    return RatingsData(data=data)


def _window(episode: Episode | None) -> dict[str, Any]:
    if episode is None or not ratings.is_open(episode):
        return {"is_open": False, "open_until": None}
    return {"is_open": True, "open_until": iso(ratings.open_until(episode))}


def _shown(rated: Entry) -> Rating:
    facts = rated.facts
    return Rating(**{name: facts[name] for name in ("episode", "score", "comment", "reasons")}, at=iso(rated.at))


def _reasons(locale: Locale) -> list[ReasonOut]:
    return [
        ReasonOut(id=reason, name=name[locale], is_praise=reason in ratings.PRAISE)
        for reason, name in ratings.REASONS.items()
    ]
