"""Policies over HTTP: what is being written, what was published, trying a text, and back-tests."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.kit.clock import now_ms
from kefu.shops.service import find_shop, hours_of
from kefu.supervision import backtest, versions
from kefu.supervision import schemas as shapes
from kefu.supervision.rules import Book, Moment, Scene
from kefu.supervision.talk import Step, Talk
from kefu.supervision.versions import Author

router = APIRouter(tags=["policies"])

Reader = Annotated[AgentIdentity, Depends(allowed("policies.read"))]
Writer = Annotated[AgentIdentity, Depends(allowed("policies.write"))]
VersionInPath = Annotated[int, Path(ge=0, le=shapes.NUMBER)]
VersionInQuery = Annotated[int | None, Query(ge=0, le=shapes.NUMBER)]


def _author(agent: AgentIdentity) -> Author:
    return Author(agent.id, agent.name)


@router.get("/api/policies")
async def get_policies(request: Request, _: Reader) -> shapes.PolicyDraftData:
    """What is being written: as it is in force while nobody changed anything."""
    async with request.app.state.db.read() as tx:
        row, in_force = await versions.draft(tx), await versions.in_force(tx)
    return shapes.PolicyDraftData(data=shapes.draft_out(row, in_force))


@router.put("/api/policies")
async def put_policies(request: Request, body: shapes.PutPolicies, agent: Writer) -> shapes.PolicyDraftData:
    """Replace what is being written; what watches changes only when it is published."""
    async with request.app.state.db.write() as tx:
        row = await versions.put_draft(tx, body.policies, body.revision, _author(agent))
        in_force = await versions.in_force(tx)
    return shapes.PolicyDraftData(data=shapes.draft_out(row, in_force))


@router.post("/api/policies/publish", status_code=201)
async def publish_policies(request: Request, body: shapes.Publish, agent: Writer) -> shapes.VersionData:
    """Bring what is being written into force, for every message from now on."""
    async with request.app.state.db.write() as tx:
        version = await versions.publish(tx, body.revision, body.note, _author(agent))
    return shapes.VersionData(data=shapes.version_out(version))


@router.get("/api/policies/versions")
async def list_policy_versions(request: Request, _: Reader) -> shapes.VersionListData:
    """The newest first, with when each was in force; 0 is what Kefu came with."""
    async with request.app.state.db.read() as tx:
        rows = await versions.all_versions(tx)
    return shapes.VersionListData(data=shapes.version_refs(rows))


@router.get("/api/policies/versions/{version}")
async def get_policy_version(request: Request, version: VersionInPath, _: Reader) -> shapes.VersionData:
    async with request.app.state.db.read() as tx:
        row = await versions.find_version(tx, version)
    return shapes.VersionData(data=shapes.version_out(row))


@router.get("/api/policies/diff")
async def diff_policies(
    request: Request, _: Reader, old: VersionInQuery = None, new: VersionInQuery = None
) -> shapes.DifferenceData:
    """What the version `new` (without it: the draft) changes of `old` (without it: what is in force)."""
    async with request.app.state.db.read() as tx:
        before = await versions.in_force(tx) if old is None else await versions.find_version(tx, old)
        after = await versions.draft(tx) if new is None else await versions.find_version(tx, new)
    found = versions.difference(before.policies, after.policies)
    return shapes.DifferenceData(data=[shapes.Difference(**one) for one in found])


@router.post("/api/policies/try")
async def try_policies(request: Request, body: shapes.Try, _: Reader) -> shapes.HitsData:
    """What would hit if a visitor wrote this as their first message now. Nothing is written."""
    state, at = request.app.state, now_ms()
    async with state.db.read() as tx:
        policies = body.policies
        if policies is None:
            policies = [*versions.restored((await versions.draft(tx)).policies)]
        shop = await find_shop(tx, body.shop)
    scene = Scene(shop.id, body.is_vip, hours_of(shop, state.hours))
    message = Step(1, "message.posted", at, {"role": "user", "content": body.text})
    talk = Talk(since=at)
    talk.take(message)
    rulings = Book(0, tuple(policies)).judge(Moment(scene, talk, message))
    return shapes.HitsData(data=[shapes.hit_out(one) for one in rulings])


@router.post("/api/policies/backtests", status_code=201)
async def start_backtest(request: Request, body: shapes.StartBacktest, agent: Writer) -> shapes.BacktestData:
    """Run a version, or the draft, over the sessions opened in a time, beside another one. Nothing is sent."""
    wanted = backtest.Wanted(**body.model_dump())
    async with request.app.state.db.write() as tx:
        row = await backtest.start(tx, wanted, _author(agent))
    return shapes.BacktestData(data=shapes.backtest_out(row))


@router.get("/api/policies/backtests")
async def list_backtests(request: Request, _: Reader) -> shapes.BacktestListData:
    async with request.app.state.db.read() as tx:
        rows = await backtest.all_backtests(tx)
    return shapes.BacktestListData(data=[shapes.backtest_ref(row) for row in rows])


@router.get("/api/policies/backtests/{backtest_id}")
async def get_backtest(request: Request, backtest_id: shapes.BacktestId, _: Reader) -> shapes.BacktestData:
    """How far it has come and what it found so far, with up to 200 examples of each outcome."""
    async with request.app.state.db.read() as tx:
        row = await backtest.find_backtest(tx, backtest_id)
    return shapes.BacktestData(data=shapes.backtest_out(row))


@router.post("/api/policies/backtests/{backtest_id}/cancel")
async def cancel_backtest(request: Request, backtest_id: shapes.BacktestId, _: Writer) -> shapes.BacktestData:
    """Stop it; what it found stays. A repeat changes nothing."""
    async with request.app.state.db.write() as tx:
        row = await backtest.cancel(tx, backtest_id)
    return shapes.BacktestData(data=shapes.backtest_out(row))
