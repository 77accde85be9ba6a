"""Whatever an agent may change over HTTP leaves an entry, or a reason in `unaudited.txt`; and no secret is in any."""

from pathlib import Path
from typing import Any

import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from accounts.team import PASSWORD, bearer
from actors import Agent, Stage, Visitor
from audit.audited import entries, keys_in, verified
from kefu.accounts.models import AuditEntry
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.ids import new_id
from kefu.knowledge.models import UnansweredQuestion
from kefu.knowledge.questions import Asked, collect
from kefu.quality.models import GoldenRun

EXEMPT = Path(__file__).with_name("unaudited.txt")
NAMES = Path(__file__).parents[2] / "web/workbench/src/audit/actions.ts"
NEW_PASSWORD = "canary-password-8"
HOURS = {"timezone": "Europe/Berlin", "week": [[]] * 7}
LOOK = {
    "name": {"zh": "小微", "en": "Vela"},
    "welcome": {"zh": "您好", "en": "Hi"},
    "suggestions": {"zh": [], "en": []},
}
ARTICLE = {"lang": "en", "title": "Returns", "body": "Within 30 days."}


def reasons() -> dict[str, str]:
    """The reason of each route that leaves no entry."""
    lines = [line for line in EXEMPT.read_text().splitlines() if line and not line.startswith("#")]
    parts = [line.split(maxsplit=2) for line in lines]
    return {f"{method} {path}": reason for method, path, reason in parts}


class Story:
    """What is done, route by route; `audited` has those that left an entry by who did it."""

    def __init__(self, stage: Stage, db: Database) -> None:
        self.stage = stage
        self.audited: set[str] = set()
        self.db = db

    async def does(self, who: Agent, route: str, body: object = None, files: Any = None, **ids: str) -> Any:
        """`route` as the API describes it: `PUT /api/tags/{tag_id}`. It must succeed and leave an entry."""
        method, path = route.split()
        headers = bearer(who.token) | {"X-Request-ID": new_id("request")}
        answer = await self.stage.http.request(method, path.format(**ids), json=body, files=files, headers=headers)
        assert answer.is_success, f"{route}: {answer.text}"
        left = select(AuditEntry).where(AuditEntry.request_id == headers["X-Request-ID"])
        async with self.db.read() as tx:
            found = list(await tx.scalars(left))
        assert [one.actor_id for one in found] == [who.id] * len(found), route
        if found:
            self.audited.add(route)
        return answer.json()


async def serve_a_session(story: Story, lead: Agent, mei: Agent, visitor: Visitor) -> None:
    name = visitor.name
    await visitor.says("Hello")
    await story.does(lead, "POST /api/manual/escalate", {"session_name": name})
    await story.does(lead, "POST /api/sessions/{name}/assign", {"agent_id": mei.id}, name=name)
    await story.does(mei, "POST /api/sessions/{name}/assignment/decline", name=name)
    await story.does(lead, "POST /api/agents/{agent_id}/offers", {"session_names": [name]}, agent_id=mei.id)
    await story.does(mei, "POST /api/sessions/{name}/takeover", name=name)
    for answer in ("cancel", "respond"):
        wish = {"to_agent_id": lead.id, "reason": "lunch", "note": "canary-note"}
        asked = await story.does(mei, "POST /api/sessions/{name}/transfer", wish, name=name)
        who, body = (mei, None) if answer == "cancel" else (lead, {"action": "accept"})
        place = f"POST /api/transfer-requests/{{request_id}}/{answer}"
        await story.does(who, place, body, request_id=asked["data"]["id"])
    await story.does(lead, "POST /api/sessions/{name}/release", name=name)
    await story.does(lead, "POST /api/sessions/{name}/close", name=name)


async def work_beside_it(story: Story, lead: Agent, mei: Agent, visitor: Visitor) -> None:
    name = visitor.name
    note = await story.does(lead, "POST /api/sessions/{name}/notes", {"content": "canary-note"}, name=name)
    ids = {"name": name, "note_id": note["data"]["id"]}
    await story.does(lead, "PUT /api/sessions/{name}/notes/{note_id}", {"content": "canary-note-2"}, **ids)
    await story.does(lead, "DELETE /api/sessions/{name}/notes/{note_id}", **ids)
    question = {"session_name": name, "assistant": "mei", "question": "canary-note"}
    asked = await story.does(lead, "POST /api/assist-requests", question)
    answered = {"answer": "canary-note"}
    await story.does(mei, "POST /api/assist-requests/{assist_id}/answer", answered, assist_id=asked["data"]["id"])
    made = await story.does(lead, "POST /api/tags", {"name": "wet"})
    tag_id = made["data"]["tag"]["id"]
    await story.does(lead, "PUT /api/tags/{tag_id}", {"name": "damp"}, tag_id=tag_id)
    for several in ("sessions", "sessions/remove"):
        await story.does(lead, f"POST /api/tags/{{tag_id}}/{several}", {"session_names": [name]}, tag_id=tag_id)
    await story.does(lead, "POST /api/sessions/{name}/tags", {"tag_id": tag_id}, name=name)
    await story.does(lead, "POST /api/sessions/{name}/tags", {"tag_id": "tag_vip"}, name=name)
    await story.does(lead, "DELETE /api/sessions/{name}/tags/{tag_id}", name=name, tag_id=tag_id)
    proposed = await story.does(lead, "POST /api/sessions/{name}/suggestions", name=name)
    suggestion = {"name": name, "suggestion_id": proposed["data"]["suggestions"][0]["id"]}
    await story.does(lead, "POST /api/sessions/{name}/suggestions/{suggestion_id}/reject", **suggestion)
    seq = await visitor.says("Another thing")
    split = await story.does(lead, "POST /api/sessions/{name}/split", {"from_seq": seq}, name=name)
    await story.does(lead, "POST /api/sessions/{name}/merge", {"into": name}, name=split["data"]["session_name"])


async def keep_house(story: Story, root: Agent, mei: Agent) -> None:
    await story.does(mei, "PUT /api/agent/status", {"status": "lunch"})
    await story.does(root, "PUT /api/agents/{agent_id}/work", {"max_sessions": 7}, agent_id=mei.id)
    await story.does(root, "PUT /api/shops/{shop_id}/routing", {"mode": "auto"}, shop_id="default")
    await story.does(root, "PUT /api/shops/{shop_id}/hours", {"hours": HOURS, "version": 0}, shop_id="default")
    demands = {"identity_mode": "report", "identity_required": False, "origins": None, "version": 0}
    await story.does(root, "PUT /api/shops/{shop_id}/security", demands, shop_id="default")
    await story.does(root, "PUT /api/shops/{shop_id}/look", LOOK | {"version": 0}, shop_id="default")
    invited = {"invitations": [{"text": {"en": "Questions?"}}], "version": 0}
    await story.does(root, "PUT /api/shops/{shop_id}/invitations", invited, shop_id="default")
    for route in ("PUT /api/shops/{shop_id}/bot", "POST /api/shops/{shop_id}/bot/test"):
        await story.does(root, route, {"version": 0, "persona": "Vela"}, shop_id="default")
    secret = await story.does(root, "POST /api/shops/{shop_id}/secrets", shop_id="default")
    ids = {"shop_id": "default", "secret_id": secret["data"]["id"]}
    await story.does(root, "DELETE /api/shops/{shop_id}/secrets/{secret_id}", **ids)
    reply = await story.does(root, "POST /api/quick-replies", {"title": "Hi", "content": "Hello!", "is_shared": True})
    reply_id = reply["data"]["id"]
    await story.does(root, "PUT /api/quick-replies/{reply_id}", {"title": "Hey"}, reply_id=reply_id)
    await story.does(root, "DELETE /api/quick-replies/{reply_id}", reply_id=reply_id)


async def write_knowledge(story: Story, root: Agent, lead: Agent) -> None:
    place = "/api/knowledge/articles/{article_id}"
    made = await story.does(lead, "POST /api/knowledge/articles", ARTICLE)
    ids = {"article_id": made["data"]["id"]}
    await story.does(lead, f"PATCH {place}", {"version": 1, "title": "Return"}, **ids)
    for reason in ({"reason": "Which days?"}, {}):
        await story.does(lead, f"POST {place}/submit", {"version": 2}, **ids)
        decide = "send-back" if reason else "publish"
        await story.does(root, f"POST {place}/{decide}", {"version": 2} | reason, **ids)
    await story.does(root, f"POST {place}/archive", {"version": 2}, **ids)
    draft = await story.does(root, "POST /api/knowledge/articles", ARTICLE | {"slug": "other"})
    await story.does(root, f"DELETE {place}", article_id=draft["data"]["id"])
    asked = Asked("default", "en", "Does it fold?", "default:1", 3, 1)
    async with story.db.write() as tx:
        await collect(tx, [asked])
        question_id = (await tx.scalars(select(UnansweredQuestion.id))).one()
    settled = {"status": "dismissed"}
    await story.does(lead, "PUT /api/knowledge/questions/{question_id}", settled, question_id=question_id)
    file = {"file": ("returns.md", b"# Returns\n\nWithin 30 days.")}
    brought = await story.does(lead, "POST /api/knowledge/documents", files=file)
    await story.does(lead, "DELETE /api/knowledge/documents/{document_id}", document_id=brought["data"]["id"])


async def watch_the_bot(story: Story, root: Agent) -> None:
    golden = {"lang": "en", "kind": "unanswerable", "question": "What is love?"}
    asked = await story.does(root, "POST /api/golden/questions", golden)
    async with story.db.write() as tx:  # settings that wait, with nobody at work on them
        nothing = {"set_version": "", "knowledge_version": 0, "provider": "", "done": 0, "right": 0, "scores": {}}
        run = {"id": "run_1", "shop": "default", "total": 1, "candidate": "{}", "started_by": "Root", **nothing}
        tx.add(GoldenRun(**run, wrong=[], created_at=now_ms()))
    await story.does(root, "DELETE /api/shops/{shop_id}/bot/rehearsal", shop_id="default")
    await story.does(root, "POST /api/golden/runs", {})
    await story.does(root, "DELETE /api/golden/questions/{question_id}", question_id=asked["data"]["id"])
    await story.does(root, "PUT /api/shadow", {"is_on": True})
    policies = [{"id": "pol_a", "name": {"en": "a", "zh": "a"}, "rule": {"kind": "vip"}}]
    await story.does(root, "PUT /api/policies", {"policies": policies, "revision": 0})
    await story.does(root, "POST /api/policies/publish", {"revision": 1})
    started = await story.does(root, "POST /api/policies/backtests", {"since": 0, "until": 1})
    backtest_id = started["data"]["id"]
    await story.does(root, "POST /api/policies/backtests/{backtest_id}/cancel", backtest_id=backtest_id)


async def run_the_team(story: Story, root: Agent) -> None:
    name = {"en": "Night shift", "zh": "夜班"}
    role = await story.does(root, "POST /api/roles", {"name": name, "permissions": ["sessions.read"]})
    role_id = role["data"]["id"]
    wider = {"version": 1, "permissions": ["sessions.read", "agents.read"]}
    await story.does(root, "PATCH /api/roles/{role_id}", wider, role_id=role_id)
    hired = {"username": "newcomer", "name": "New", "role": "agent", "password": NEW_PASSWORD}
    agent_id = (await story.does(root, "POST /api/agents", hired))["agent"]["id"]
    await story.does(root, "PATCH /api/agents/{agent_id}", {"name": "Newer"}, agent_id=agent_id)
    reset = {"new_password": NEW_PASSWORD}
    await story.does(root, "POST /api/agents/{agent_id}/reset-password", reset, agent_id=agent_id)
    await story.does(root, "DELETE /api/roles/{role_id}", role_id=role_id)


async def come_and_go(story: Story, root: Agent, mei: Agent) -> list[str]:
    """What must stand nowhere."""
    change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    mei.token = (await story.does(mei, "POST /api/agent/change-password", change))["token"]
    signed_in = {"username": "mei", "password": NEW_PASSWORD}
    mei.token = (await story.does(mei, "POST /api/agent/login", signed_in))["token"]
    secrets = await second_step(story, root, mei)
    await story.does(mei, "POST /api/agent/logout")
    return secrets


async def second_step(story: Story, root: Agent, mei: Agent) -> list[str]:
    """Mei sets it up, signs in with it, makes new recovery codes, turns it off and has it reset; all its secrets."""
    password = {"password": NEW_PASSWORD}
    secret = (await story.does(mei, "POST /api/agent/second-factor/setup", password))["data"]["secret"]
    app = pyotp.TOTP(secret)
    answer = await story.does(mei, "POST /api/agent/second-factor/confirm", {"code": app.now()})
    old = answer["data"]["recovery_codes"]
    asked = await story.stage.http.post("/api/agent/login", json={"username": "mei"} | password)
    step = {"ticket": asked.json()["error"]["details"]["ticket"], "code": old[0]}
    mei.token = (await story.does(mei, "POST /api/agent/login/second-factor", step))["token"]
    renew = password | {"code": old[1]}
    new = (await story.does(mei, "POST /api/agent/second-factor/recovery-codes", renew))["data"]["recovery_codes"]
    await story.does(mei, "POST /api/agent/second-factor/off", password | {"code": new[0]})
    await story.does(root, "DELETE /api/agents/{agent_id}/second-factor", agent_id=mei.id)
    mei.token = (await story.does(mei, "POST /api/agent/login", {"username": "mei"} | password))["token"]
    return [secret, *old, *new, step["ticket"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_command_leaves_an_entry_or_has_a_reason_not_to(
    app: FastAPI, stage: Stage, db: Database, tmp_path: Path
) -> None:
    lead, mei = await stage.agent("lead", "supervisor"), await stage.agent("mei")
    root = await stage.agent("root", "super_admin")
    story, visitor = Story(stage, db), await stage.visitor()
    await serve_a_session(story, lead, mei, visitor)
    await work_beside_it(story, lead, mei, visitor)
    await keep_house(story, root, mei)
    await watch_the_bot(story, root)
    await write_knowledge(story, root, lead)
    await run_the_team(story, root)
    secrets = await come_and_go(story, root, mei)
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods if method != "get"}
    assert story.audited.isdisjoint(reasons())
    assert story.audited | set(reasons()) == routes
    found = await entries(db)
    named = NAMES.read_text()
    assert [one.action for one in found if f'"{one.action}": {{' not in named] == [], f"name it in {NAMES}"
    whole = str([[str(getattr(one, column.name)) for column in one.__table__.columns] for one in found])
    for secret in (PASSWORD, NEW_PASSWORD, "canary-note", mei.token, lead.token, *secrets):
        assert secret not in whole
    assert (await verified(db, keys_in(tmp_path))).seq > 40
