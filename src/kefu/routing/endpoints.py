"""The queue, offers, taking over, and what agents do, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit, fields
from kefu.accounts.identity import AgentIdentity, SignedInAgent, allowed
from kefu.accounts.models import Agent
from kefu.accounts.roles import check_within
from kefu.kit.clock import now_ms, start_of_day, unix_seconds
from kefu.routing import assignment, duty, shop_routing
from kefu.routing import schemas as shapes
from kefu.routing.rules import Routing
from kefu.routing.team import colleagues
from kefu.sessions import queue
from kefu.sessions.access import actor, member
from kefu.sessions.schemas import NameInPath, OutcomeData, SessionData, Several, session_out
from kefu.shops.service import find_shop

router = APIRouter(tags=["routing"])

SHOWN = 100

Reader = Annotated[AgentIdentity, Depends(allowed("sessions.read"))]
Taker = Annotated[AgentIdentity, Depends(allowed("sessions.takeover"))]
Assigner = Annotated[AgentIdentity, Depends(allowed("sessions.assign"))]


@router.get("/api/sessions/queue")
async def get_queue(request: Request, query: Annotated[shapes.QueueQuery, Query()], _: Reader) -> shapes.QueueData:
    """Who waits for a person, who is next first."""
    now = now_ms()
    async with request.app.state.db.read() as tx:
        waiting = await queue.waiting(tx, now, SHOWN, query.shop)
        total = await queue.count(tx, query.shop)
    items = [shapes.queue_item(session, place, now) for session, place in waiting]
    return shapes.QueueData(data=shapes.queue_of(items, total))


@router.post("/api/sessions/{name}/takeover")
async def take_over(request: Request, name: NameInPath, agent: Taker) -> SessionData:
    """The agent of the token steps in; one winner."""
    async with request.app.state.db.write() as tx:
        session = await assignment.take_over(tx, name, member(agent, "sessions.reply_any"))
    return SessionData(data=session_out(session))


@router.post("/api/sessions/{name}/assign")
async def assign(request: Request, name: NameInPath, body: shapes.AssignTo, lead: Assigner) -> SessionData:
    """Offer a session that waits to an agent, who accepts by taking over. An offer to another is withdrawn."""
    async with request.app.state.db.write() as tx:
        session = await assignment.offer(tx, name, body.agent_id, actor(lead))
    return SessionData(data=session_out(session))


@router.post("/api/agents/{agent_id}/offers")
async def assign_several(request: Request, agent_id: shapes.AgentInPath, body: Several, lead: Assigner) -> OutcomeData:
    """Offer up to 100 sessions that wait to an agent; those where it cannot be done are told."""
    async with request.app.state.db.write() as tx:
        done = await assignment.offer_several(tx, body.session_names, agent_id, actor(lead))
    return OutcomeData(data=done)


@router.post("/api/sessions/{name}/assignment/decline")
async def decline(request: Request, name: NameInPath, agent: Taker) -> SessionData:
    """The agent of the token lets pass what is offered to them."""
    async with request.app.state.db.write() as tx:
        session = await assignment.decline(tx, name, member(agent, "sessions.reply_any"))
    return SessionData(data=session_out(session))


async def _status(request: Request, tx: AsyncSession, agent_id: str) -> shapes.AgentStatus:
    now = now_ms()
    agent = await tx.get_one(Agent, agent_id)
    (load,) = await colleagues(tx, agent_id)
    today = await duty.figures(tx, agent_id, start_of_day(now, request.app.state.settings.timezone))
    return shapes.status_of(agent, load.serving, today, now)


@router.get("/api/agent/status")
async def get_status(request: Request, me: SignedInAgent) -> shapes.AgentStatusData:
    async with request.app.state.db.read() as tx:
        return shapes.AgentStatusData(data=await _status(request, tx, me.id))


@router.put("/api/agent/status")
async def put_status(request: Request, body: shapes.StatusWish, me: SignedInAgent) -> shapes.AgentStatusData:
    """Say what you do. Away from online and busy you are offered nothing, and keep whom you serve."""
    async with request.app.state.db.write() as tx:
        await duty.choose(tx, actor(me), body.status, body.status_note)
        return shapes.AgentStatusData(data=await _status(request, tx, me.id))


@router.post("/api/agent/status/heartbeat")
async def beat(request: Request, me: SignedInAgent, body: shapes.Beat | None = None) -> shapes.BeatOut:
    """A sign of life, at least every 45 s, for who has no stream open. It is no action unless it says so."""
    async with request.app.state.db.write() as tx:
        agent = await tx.get_one(Agent, me.id, with_for_update=True)
        await duty.sign_of_life(tx, agent, active=body is not None and body.active)
    return shapes.BeatOut(last_active_at=unix_seconds(agent.active_at))


@router.get("/api/agent/stats/today")
async def get_today(request: Request, me: SignedInAgent) -> shapes.TodayData:
    async with request.app.state.db.read() as tx:
        status = await _status(request, tx, me.id)
    load = {"current_sessions": status.current_sessions, "max_sessions": status.max_sessions}
    return shapes.TodayData(data=shapes.TodayWithLoad(**dict(status.today_stats), **load))


@router.get("/api/agents/available")
async def get_available(
    request: Request,
    query: Annotated[shapes.AvailableQuery, Query()],
    me: Annotated[AgentIdentity, Depends(allowed("agents.read"))],
) -> shapes.AvailableData:
    """Colleagues on duty with room for another session, by name; with `everybody` all who may sign in."""
    now = now_ms()
    async with request.app.state.db.read() as tx:
        team = await colleagues(tx)
    if not query.everybody:
        team = [one for one in team if one.is_on_duty(now) and one.room > 0 and one.id != me.id]
    items = [shapes.ColleagueOut.of(one, now) for one in team]
    return shapes.AvailableData(data=shapes.AvailableAgents(items=items, total=len(items)))


@router.put("/api/agents/{agent_id}/work")
async def put_work(
    request: Request,
    agent_id: shapes.AgentInPath,
    body: shapes.Work,
    me: Annotated[AgentIdentity, Depends(allowed("agents.write"))],
) -> shapes.WorkData:
    """How many sessions an agent may have at once, what they know and which languages they write."""
    async with request.app.state.db.write() as tx:
        await assignment.lock_agent(tx, agent_id)
        agent = await tx.get_one(Agent, agent_id)
        check_within(me.permissions, agent.permissions)
        wanted = body.model_dump(exclude_none=True)
        before = fields(agent, *wanted)
        for name, value in wanted.items():
            setattr(agent, name, value)
        audit(tx, "agent.work_changed", ("agent", agent_id), before, wanted)
        await duty.wake_assigner(tx)
        work = shapes.WorkOut(max_sessions=agent.max_sessions, skills=agent.skills, languages=agent.languages)
    return shapes.WorkData(data=work)


@router.get("/api/shops/{shop_id}/routing", dependencies=[Depends(allowed("shops.read"))])
async def get_routing(request: Request, shop_id: shapes.ShopInPath) -> shapes.RoutingData:
    """How those who wait in the shop come to an agent."""
    async with request.app.state.db.read() as tx:
        shop = await find_shop(tx, shop_id)
    return shapes.RoutingData(data=Routing.model_validate(shop.routing))


@router.put("/api/shops/{shop_id}/routing", dependencies=[Depends(allowed("shops.write"))])
async def put_routing(request: Request, shop_id: shapes.ShopInPath, body: shapes.PutRouting) -> shapes.RoutingData:
    """Switching to `auto` offers those who wait at once; to `manual` lets standing offers run out."""
    wanted = Routing(mode=body.mode, accept_seconds=body.accept_seconds)
    async with request.app.state.db.write() as tx:
        await shop_routing.put_routing(tx, shop_id, wanted, body.seen)
    return shapes.RoutingData(data=wanted)
