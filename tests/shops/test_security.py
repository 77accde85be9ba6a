"""What a shop demands of who calls in its name: secrets that rotate, and the sites of its pages."""

import asyncio

import httpx2
import pytest

from actors import Agent, Stage, code_of, data_of
from faults.waiting import until
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.secrets import Sealer, Unreadable
from kefu.main import create_app
from kefu.shops.service import FIRST_SHOP, put_shop
from shops.signing import demand, secure, signed

PATH = "/api/shops/default/security"
SECRETS = "/api/shops/default/secrets"
IDENTIFY = "/api/visitor/identify"


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lin", "supervisor")


async def believes(stage: Stage, token: str) -> bool:
    answer = await stage.http.post(IDENTIFY, json={"token": token})
    assert answer.status_code == 200 or code_of(answer) == "IDENTITY_UNVERIFIED"
    return answer.status_code == 200


async def test_secrets_rotate_without_a_gap_and_are_shown_once(lead: Agent, stage: Stage, db: Database) -> None:
    old = await secure(lead)
    new = data_of(await lead.post(SECRETS), 201)
    assert await believes(stage, signed(old))
    assert await believes(stage, signed(new["secret"]))
    shown = data_of(await lead.get(PATH))
    assert shown["secrets"][0] == {name: new[name] for name in ("id", "created_at", "retired_at")}
    first = shown["secrets"][1]["id"]
    retired = data_of(await lead.delete(f"{SECRETS}/{first}"))
    assert retired["retired_at"] is not None
    assert data_of(await lead.delete(f"{SECRETS}/{first}")) == retired, "safe to repeat"
    assert not await believes(stage, signed(old))
    assert await believes(stage, signed(new["secret"]))
    last = await lead.delete(f"{SECRETS}/{new['id']}")
    assert (last.status_code, code_of(last)) == (409, "SECRET_MISSING")
    rows = await db.fetch("SELECT sealed FROM shop_secrets")
    assert all(new["secret"] not in row[0] and old not in row[0] for row in rows), "sealed at rest"


async def test_wrong_wishes_are_refused_and_nothing_changes(lead: Agent, stage: Stage) -> None:
    now = data_of(await lead.get(PATH))
    assert (now["identity_mode"], now["origins"], now["secrets"]) == ("off", None, [])
    enforce = await lead.put(PATH, now | {"identity_mode": "enforce"})
    assert (enforce.status_code, code_of(enforce)) == (409, "SECRET_MISSING")
    for origins in (["shop.example"], ["https://*"], ["https://*.com"], ["http://shop.example"], ["https://a b"]):
        answer = await lead.put(PATH, now | {"origins": origins})
        assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED"), origins
    more = ["https://a.example/path", "https://u@a.example", "https://a.example; script-src *", "https://a.*.example"]
    for origin in more:
        assert (await lead.put(PATH, now | {"origins": [origin]})).status_code == 422, origin
    assert (await lead.put(PATH, now | {"identity_mode": "maybe"})).status_code == 422
    assert data_of(await lead.get(PATH)) == now
    for _ in range(5):
        data_of(await lead.post(SECRETS), 201)
    many = await lead.post(SECRETS)
    assert (many.status_code, code_of(many)) == (409, "TOO_MANY_SECRETS")
    assert code_of(await lead.delete(f"{SECRETS}/secret_none")) == "SECRET_NOT_FOUND"
    assert code_of(await lead.get("/api/shops/none/security")) == "SHOP_NOT_FOUND"
    assert code_of(await lead.post("/api/shops/none/secrets")) == "SHOP_NOT_FOUND"
    agent = await stage.agent()
    for answer in (await agent.get(PATH), await agent.put(PATH, now), await agent.post(SECRETS)):
        assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")


async def test_of_two_who_save_at_once_one_is_told(lead: Agent) -> None:
    now = data_of(await lead.get(PATH))
    wishes = [now | {"origins": [f"https://{name}.example"]} for name in "ab"]
    answers = await asyncio.gather(*(lead.put(PATH, wish) for wish in wishes))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    there = data_of(await lead.get(PATH))
    assert data_of(await lead.put(PATH, there | {"version": 0})) == there, "a repeat of what stands is no change"


async def preflight(http: httpx2.AsyncClient, origin: str) -> str | None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = await http.options("/api/conversation/new", headers=headers)
    allowed: str | None = answer.headers.get("access-control-allow-origin")
    return allowed


async def ancestors(http: httpx2.AsyncClient, shop: str) -> list[str]:
    policy = (await http.get(f"/embed?shop={shop}")).headers["content-security-policy"]
    (found,) = [part.split()[1:] for part in policy.split("; ") if part.startswith("frame-ancestors")]
    return [one for one in found if one != "'self'" and "localhost" not in one and "127.0.0.1" not in one]


async def test_each_shop_has_its_own_sites_and_they_hold_at_once_in_every_process(
    lead: Agent, stage: Stage, db: Database, settings: Settings
) -> None:
    async with db.write() as tx:
        await put_shop(tx, **FIRST_SHOP | {"id": "second"})
    saved = await demand(lead, origins=["HTTPS://Shop.Example:443/", "https://*.shop.example", "https://shop.example"])
    assert saved["origins"] == ["https://shop.example", "https://*.shop.example"]
    await demand(lead, shop="second", origins=["https://second.example"])
    assert await ancestors(stage.http, "default") == ["https://shop.example", "https://*.shop.example"]
    assert await ancestors(stage.http, "") == ["https://shop.example", "https://*.shop.example"]
    assert await ancestors(stage.http, "second") == ["https://second.example"]
    for origin in ("https://shop.example", "https://de.shop.example", "https://second.example"):
        assert await preflight(stage.http, origin) == origin
    strangers = (
        "https://evil.example",
        "https://evilshop.example",
        "http://shop.example",
        "https://shop.example.evil.example",
    )
    for origin in (*strangers, "https://e:x@a.shop.example", "null"):
        assert await preflight(stage.http, origin) is None, origin
    wrong = await stage.http.post("/api/conversation/new", json={}, headers={"Origin": "https://second.example"})
    assert (wrong.status_code, code_of(wrong)) == (403, "FOREIGN_ORIGIN")
    right = await stage.http.post("/api/conversation/new", json={}, headers={"Origin": "https://de.shop.example"})
    assert right.status_code == 200

    elsewhere = create_app(settings)  # another process on the same database
    transport = httpx2.ASGITransport(app=elsewhere)
    async with httpx2.AsyncClient(transport=transport, base_url="http://kefu") as other:
        assert await preflight(other, "https://shop.example") == "https://shop.example"
        await demand(lead, origins=["https://new.example"])
        assert await preflight(stage.http, "https://shop.example") is None, "here at once"

        async def is_told() -> bool:
            return await preflight(other, "https://shop.example") is None

        await until(is_told, 10)
        assert await preflight(other, "https://new.example") == "https://new.example"
    await elsewhere.state.db.close()


async def test_production_wants_named_sites_with_tls(settings: Settings, stage: Stage, lead: Agent) -> None:
    now = data_of(await lead.get(PATH))
    strict = create_app(settings.model_copy(update={"env": "production"}))
    transport = httpx2.ASGITransport(app=strict)
    headers = {"Authorization": f"Bearer {lead.token}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://kefu", headers=headers) as client:
        for origin in ("*", "http://localhost:3000"):
            answer = await client.put(PATH, json=now | {"origins": ["https://a.example", origin]})
            assert (answer.status_code, code_of(answer)) == (422, "ORIGIN_UNSAFE")
            assert answer.json()["error"]["details"]["fields"][0]["field"] == "origins.1"
    await strict.state.db.close()
    data_of(await lead.put(PATH, now | {"origins": ["*"]}))
    assert await preflight(stage.http, "https://any.example") == "https://any.example"


def test_what_was_sealed_is_opened_by_every_key_that_is_left() -> None:
    sealed = Sealer(["old key"]).seal("秘密")
    assert "秘密" not in sealed
    assert Sealer(["new key", "old key"]).open(sealed) == "秘密"
    for keys, text in ((["new key"], sealed), (["old key"], sealed[:12] + "AA" + sealed[14:]), (["old key"], "no")):
        with pytest.raises(Unreadable):
            Sealer(keys).open(text)
