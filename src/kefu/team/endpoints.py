"""Agents and roles over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from kefu.accounts import roles
from kefu.accounts.identity import AgentIdentity, allowed
from kefu.accounts.passwords import hash_password, one_time_password
from kefu.accounts.permissions import IN_ORDER
from kefu.accounts.service import NewAgent
from kefu.kit.clock import now_ms
from kefu.kit.web import Done
from kefu.routing.schemas import AgentInPath
from kefu.team import queries, service
from kefu.team import schemas as shapes

router = APIRouter(tags=["team"])

Reader = Annotated[AgentIdentity, Depends(allowed("agents.read"))]
Editor = Annotated[AgentIdentity, Depends(allowed("agents.write"))]
RoleEditor = Annotated[AgentIdentity, Depends(allowed("roles.write"))]


@router.get("/api/agents")
async def list_agents(
    request: Request, query: Annotated[shapes.AgentsQuery, Query()], me: Reader
) -> shapes.MemberListData:
    """The team, disabled agents too."""
    now, skip = now_ms(), (query.page - 1) * query.page_size
    async with request.app.state.db.read() as tx:
        found, total = await queries.members(tx, query.wanted, now, skip, query.page_size)
    items = [shapes.member_out(one, now, with_account="agents.write" in me.permissions) for one in found]
    data = shapes.MemberList(items=items, total=total, page=query.page, page_size=query.page_size)
    return shapes.MemberListData(data=data)


@router.post("/api/agents", status_code=201)
async def create_agent(request: Request, body: shapes.NewMember, me: Editor) -> shapes.MemberWithPassword:
    """Hire somebody, into a role with nothing the caller may not do."""
    made = None if body.password else one_time_password()
    hashed = await hash_password(body.password or made or "")
    new = NewAgent(body.username, body.name, body.role, hashed)
    fields = body.model_dump(include={"max_sessions", "skills", "languages", "is_invited"}, exclude_none=True)
    async with request.app.state.db.write() as tx:
        agent = await service.hire(tx, me.id, new, fields)
        shown = shapes.member_out(queries.Member(agent, 0, 0), now_ms(), with_account=True)
    return shapes.MemberWithPassword(agent=shown, one_time_password=made)


@router.get("/api/agents/{agent_id}")
async def get_agent(request: Request, agent_id: AgentInPath, me: Reader) -> shapes.MemberData:
    async with request.app.state.db.read() as tx:
        found = await queries.member(tx, agent_id)
    return shapes.MemberData(agent=shapes.member_out(found, now_ms(), with_account="agents.write" in me.permissions))


@router.patch("/api/agents/{agent_id}")
async def change_agent(
    request: Request, agent_id: AgentInPath, body: shapes.MemberChange, me: Editor
) -> shapes.MemberData:
    """Who is disabled is signed out, and their conversations wait for somebody else."""
    async with request.app.state.db.write() as tx:
        await service.change(tx, me.id, agent_id, body.fields)
        found = await queries.member(tx, agent_id)
    return shapes.MemberData(agent=shapes.member_out(found, now_ms(), with_account=True))


@router.post("/api/agents/{agent_id}/reset-password")
async def reset_password(
    request: Request, agent_id: AgentInPath, me: Editor, body: shapes.PasswordReset | None = None
) -> shapes.MemberWithPassword:
    """The agent is signed out everywhere and must choose a new password at the next sign-in."""
    given = body.new_password if body else None
    made = None if given else one_time_password()
    hashed = await hash_password(given or made or "")
    async with request.app.state.db.write() as tx:
        await service.reset_password(tx, me.id, agent_id, hashed)
        found = await queries.member(tx, agent_id)
    shown = shapes.member_out(found, now_ms(), with_account=True)
    return shapes.MemberWithPassword(agent=shown, one_time_password=made)


@router.delete("/api/agents/{agent_id}/second-factor")
async def reset_second_factor(request: Request, agent_id: AgentInPath, me: Editor) -> Done:
    """For an agent who has lost it: they sign in by the password alone, and what they are signed in with ends."""
    async with request.app.state.db.write() as tx:
        await service.reset_second_factor(tx, me.id, agent_id)
    return Done()


@router.get("/api/roles", dependencies=[Depends(allowed("agents.read"))])
async def list_roles(request: Request) -> shapes.RoleListData:
    """The built-in ones first."""
    async with request.app.state.db.read() as tx:
        found = await roles.all_roles(tx)
    data = shapes.RoleList(roles=[shapes.role_out(one) for one in found], permissions=list(IN_ORDER))
    return shapes.RoleListData(data=data)


@router.post("/api/roles", status_code=201)
async def create_role(request: Request, body: shapes.NewRole, me: RoleEditor) -> shapes.RoleData:
    """A role of the team's own, with nothing the caller may not do."""
    async with request.app.state.db.write() as tx:
        role = await roles.create_role(tx, me.id, body.name.text, set(body.permissions))
    return shapes.RoleData(data=shapes.role_out(role))


@router.patch("/api/roles/{role_id}")
async def change_role(
    request: Request, role_id: shapes.RoleInPath, body: shapes.RoleChangeIn, me: RoleEditor
) -> shapes.RoleData:
    """Counts from the next request of all who have the role."""
    name = body.name.text if body.name else None
    wanted = roles.RoleChange(body.version, name, body.permissions)
    async with request.app.state.db.write() as tx:
        role = await service.redefine(tx, me.id, role_id, wanted)
    return shapes.RoleData(data=shapes.role_out(role))


@router.delete("/api/roles/{role_id}")
async def delete_role(request: Request, role_id: shapes.RoleInPath, me: RoleEditor) -> Done:
    async with request.app.state.db.write() as tx:
        await roles.delete_role(tx, me.id, role_id)
    return Done()
