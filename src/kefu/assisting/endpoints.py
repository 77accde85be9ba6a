"""Help for agents over HTTP. Nothing here sends anything to the visitor."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.assisting import helping, wording
from kefu.assisting import schemas as shapes
from kefu.assisting.asking import Told
from kefu.assisting.packet import MadeBy, Packet
from kefu.assisting.suggesting import source_of
from kefu.kit.web import Done, caller_of
from kefu.knowledge.search import search
from kefu.knowledge.vectors import Asker
from kefu.sessions.access import actor, in_sight
from kefu.sessions.models import Session
from kefu.sessions.queries import find
from kefu.sessions.schemas import NameInPath
from kefu.sessions.service import SessionNotFound

router = APIRouter(tags=["assisting"], dependencies=[Depends(in_sight)])

Reader = Annotated[AgentIdentity, Depends(allowed("sessions.read"))]
Replier = Annotated[AgentIdentity, Depends(allowed("sessions.reply"))]
SuggestionIdInPath = Annotated[str, Path(pattern=r"^sug_[0-9a-f]{20}$")]
RULES = "summary-rules-1"


async def _session(request: Request, name: str) -> Session:
    async with request.app.state.db.read() as tx:
        session = await find(tx, name)
    if session is None:
        raise SessionNotFound(session_name=name)
    return session


@router.get("/api/sessions/{name}/help")
async def get_help(request: Request, name: NameInPath, _: Reader) -> shapes.HelpData:
    """What is known to help with this session: the packet, what the messages say, and the newest suggestions."""
    state = request.app.state
    async with state.db.read() as tx:
        session = await find(tx, name)
        if session is None:
            raise SessionNotFound(session_name=name)
        packet = await helping.packet_of(tx, session)
        analyses = await helping.analyses(tx, name)
        suggestions = await helping.newest(tx, name, session.last_visitor_seq)
    data = shapes.Help(
        for_seq=session.last_visitor_seq,
        packet=Packet.model_validate(packet.facts) if packet else None,
        analyses=[shapes.AnalysisOut.of(one) for one in analyses],
        suggestions=[shapes.SuggestionOut.of(one) for one in suggestions],
        has_model=bool(state.model_of and await state.model_of(session.shop)),
    )
    return shapes.HelpData(data=data)


@router.post("/api/sessions/{name}/suggestions")
async def suggest(request: Request, name: NameInPath, agent: Replier) -> shapes.SuggestionsData:
    """Propose replies to what the visitor wrote last. With a model this may take some seconds."""
    await request.app.state.limits.take("help", agent=agent.id)
    found = await request.app.state.proposing.now(name)
    suggestions = [shapes.SuggestionOut.of(one) for one in found]
    return shapes.SuggestionsData(
        data=shapes.Suggestions(for_seq=found[0].for_seq if found else 0, suggestions=suggestions)
    )


@router.post("/api/sessions/{name}/suggestions/{suggestion_id}/reject")
async def reject_suggestion(
    request: Request, name: NameInPath, suggestion_id: SuggestionIdInPath, agent: Replier
) -> Done:
    """The agent does not want it. That one was used is read from the reply that was sent with its id."""
    async with request.app.state.db.write() as tx:
        await helping.reject(tx, name, suggestion_id, actor(agent))
    return Done()


@router.post("/api/sessions/{name}/rewrite")
async def rewrite(request: Request, name: NameInPath, body: shapes.Rewrite, agent: Replier) -> shapes.RewordedData:
    """The agent's text, politer, briefer or warmer. Needs a model."""
    await request.app.state.limits.take("help", agent=agent.id)
    session = await _session(request, name)
    return _reworded(await wording.rewrite(request.app.state.model_of, session, body.text, body.style))


@router.post("/api/sessions/{name}/translate")
async def translate(request: Request, name: NameInPath, body: shapes.Translate, agent: Reader) -> shapes.RewordedData:
    """Any text of the conversation in another language. Needs a model."""
    await request.app.state.limits.take("help", agent=agent.id)
    session = await _session(request, name)
    return _reworded(await wording.translate(request.app.state.model_of, session, body.text, body.to))


@router.post("/api/sessions/{name}/summary")
async def summarise(request: Request, name: NameInPath, body: shapes.Summarise, agent: Reader) -> shapes.RewordedData:
    """The conversation in a few lines: by a model, or by rules."""
    state = request.app.state
    await state.limits.take("help", agent=agent.id)
    async with state.db.read() as tx:
        session = await find(tx, name)
        entries = await helping.messages_of(tx, name)
    if session is None:
        raise SessionNotFound(session_name=name)
    return _reworded(await wording.summary(state.model_of, session, entries, body.to))


def _reworded(told: Told) -> shapes.RewordedData:
    made_by = MadeBy(kind="model", name=told.model) if told.model else MadeBy(kind="rule", name=RULES)
    return shapes.RewordedData(data=shapes.Reworded(text=told.text, made_by=made_by))


@router.get("/api/sessions/{name}/recommendations")
async def recommend(
    request: Request, name: NameInPath, agent: Reader, query: Annotated[shapes.Asking, Query()]
) -> shapes.RecommendationsData:
    """The shop's published passages that fit `q` best."""
    await request.app.state.limits.take("search", agent=agent.id)
    session, locale = await _session(request, name), caller_of(request).locale
    (near,) = await request.app.state.near_of(Asker(session.shop, locale), [query.q])
    async with request.app.state.db.read() as tx:
        found = await search(tx, session.shop, query.q, locale, near=near)
    return shapes.RecommendationsData(data=[shapes.RestsOn(**source_of(hit)) for hit in found.best])
