"""What people write never runs: hundreds of known attacks through every field, looked at wherever it is shown."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import pypdfium2
import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect
from pypdfium2 import raw

from e2e.actors import AgentDesk, Visitor
from e2e.conftest import OpenContext
from e2e.product import CHEN, NO_TLS, Account, Product, employ
from kefu.channels.email import MailServer
from kefu.channels.letters import Place, team_mail
from kefu.kit.clock import now_ms
from kefu.log.log import VISITOR, Fact, entry
from kefu.sessions.fold import blank

FILE = Path(__file__).with_name("payloads.txt")
SVG = "<svg onload=alert()>"
ADDRESS = "'/onload=alert`1`/'@evil.example"
LATE = "v_who_came_too_late"
EVE = Account("eve", '"><img src=x onerror=alert(1)>', "bicycle-bolt-5", "super_admin")
SPEAKS = """
() => { for (const way of ["alert", "confirm", "prompt", "print"]) window[way] = () => window.caught(way); }
"""
# Attributes that would run, links that would, and elements that have no place in what people write.
ARMED = r"""
() => [...document.querySelectorAll("*")].filter((one) =>
  [...one.attributes].some(({ name, value }) => /^on|^srcdoc$/i.test(name)
    || /^[\0-\x20]*(javascript|vbscript|data:text)/i.test(value) && /href|src|action|data/i.test(name))
  || one.closest(".bubble, .note, .hit, .chip, .markdown, main > article") && one.matches(
    "script, iframe, object, embed, base, meta, link, style, form, math, foreignObject, animate, video, audio")
).map((one) => one.outerHTML.slice(0, 300))
"""
PER_MESSAGE = 6


def payloads() -> list[str]:
    lines = FILE.read_text(encoding="utf-8").partition("\n#= ")[2].split("\n")[1:]
    return [line for line in lines if line and not line.startswith("#= ")]


def batches(size: int = PER_MESSAGE) -> Iterator[str]:
    every = payloads()
    yield from ("\n\n".join(every[n : n + size]) for n in range(0, len(every), size))


class Trap:
    """Hears what runs and what leaves in all pages of a context."""

    def __init__(self, context: BrowserContext, product: Product) -> None:
        self.product = product
        self.caught: list[str] = []
        self._own = (f"{product.address}/", f"ws://127.0.0.1:{product.port}/", "data:image/", "blob:", "about:")
        context.expose_binding("caught", lambda source, way: self.caught.append(f"{way} in {source['frame'].url}"))
        context.add_init_script(f"({SPEAKS})()")
        context.on("request", self._look_at)

    def _look_at(self, request: Request) -> None:
        if not request.url.startswith(self._own):
            self.caught.append(f"{request.resource_type} {request.url} from {request.frame.url}")

    def is_empty(self, page: Page) -> None:
        """Nothing ran or left, and nothing stands ready to."""
        assert [armed for frame in page.frames for armed in frame.evaluate(ARMED)] == []
        assert self.caught == []


@pytest.fixture(scope="module")
def product(start: Callable[..., Product], staffed: Path) -> Product:
    """Nobody serves now, so that visitors may leave an address: the shift begins in three hours."""
    begins = datetime.fromtimestamp(now_ms() / 1000, UTC) + timedelta(hours=3)
    shift = {"HUMAN_SHIFT_START": f"{begins:%H:%M}", "HUMAN_SHIFT_END": f"{begins + timedelta(hours=1):%H:%M}"}
    product = start(staffed, TIMEZONE="UTC", **shift)
    employ(product.data, [EVE])
    return product


@pytest.fixture
def api(product: Product) -> Iterator[Callable[..., Any]]:
    """`api(token, path, body)`: what it gave."""
    with httpx2.Client(base_url=product.address, timeout=30, verify=NO_TLS) as http:

        def call(token: str, path: str, body: object = None) -> Any:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = (
                http.post(path, json=body, headers=headers) if body is not None else http.get(path, headers=headers)
            )
            assert answer.status_code < 300, (path, answer.text)
            return answer.json() if "json" in answer.headers["content-type"] else answer.content

        yield call


def plant(api: Callable[..., Any], product: Product, visit: dict[str, str]) -> str:
    """Everything into every field; the agent's token."""
    token: str = api("", "/api/agent/login", EVE.credentials)["token"]
    colleague = api("", "/api/agent/login", CHEN.credentials)["token"]
    name, guest = visit["session"], visit["token"]
    for n, batch in enumerate(batches(40)):
        article = {"lang": "en", "title": f"{SVG} zebra{n}", "body": f"About zebra{n}:\n\n{batch}", "tags": [SVG]}
        made = api(token, "/api/knowledge/articles", article)["data"]
        api(colleague, f"/api/knowledge/articles/{made['id']}/publish", {"version": made["version"]})
        api(guest, "/api/chat", {"message": f"what about zebra{n}?", "user_id": name})
    api(token, f"/api/sessions/{name}/takeover", {})
    for n, batch in enumerate(batches()):
        api(guest, f"/api/sessions/{name}/messages", {"content": batch, "client_msg_id": f"m{n}"})
        api(token, "/api/manual/messages", {"session_name": name, "role": "agent", "content": batch})
        api(token, f"/api/sessions/{name}/notes", {"content": batch})
    for n, short in enumerate({one.casefold(): one for one in payloads() if len(one) <= 20}.values()):
        tag = {"name": short, "icon": "<svg>", "color": "#112233", "group": "custom", "description": short}
        made = api(token, "/api/tags", tag)["data"]["tag"]
        if n < 8:
            api(token, f"/api/sessions/{name}/tags", {"tag_id": made["id"]})
    for batch in batches(8):
        title = "".join(filter(str.isprintable, batch.partition("\n")[0]))[:50]
        api(token, "/api/quick-replies", {"title": title, "content": batch[:1000], "is_shared": True})
    late = api("", "/api/conversation/new", {"session_id": LATE})["visitor_token"]
    letter = {"email": ADDRESS, "message": payloads()[40], "client_msg_id": "l1"}
    api(late, f"/api/sessions/{LATE}/email", letter)
    with sqlite3.connect(product.data / "kefu.db") as database:
        database.execute("UPDATE sessions SET nickname = ?", (payloads()[40],))
    return token


def test_no_attack_of_hundreds_runs_or_leaves_wherever_it_is_shown(
    context: OpenContext, product: Product, api: Callable[..., Any]
) -> None:
    assert len(payloads()) > 200
    outside, inside = context(), context()
    traps = Trap(outside, product), Trap(inside, product)
    visitor = Visitor(outside.new_page(), product.address, "en")
    visitor.is_in_the_chat()
    visitor.asks(payloads()[0])
    visit = visitor.frame.evaluate(
        "JSON.parse(Object.entries(localStorage).find(([k]) => k.startsWith('kefu.visit.'))[1])"
    )
    token = plant(api, product, visit)
    last = list(batches())[-1].split("\n")[0]
    for _ in ("live", "read again"):
        expect(visitor.chat.get_by_text(last).last).to_be_visible()
        traps[0].is_empty(visitor.page)
        visitor.page.reload()
        if not visitor.panel.is_visible():
            visitor.launcher.click()
    agent = AgentDesk(inside.new_page(), product.address, "en")
    agent.signs_in(EVE)
    look_around(agent, visit["session"], traps[1])
    read_articles(inside.new_page(), api, token, traps[1])
    read_mail(inside.new_page(), traps[1])
    the_trap_works(inside.new_page(), traps[1])
    nothing_runs_in_the_pdf(api(token, f"/api/sessions/{visit['session']}/transcript?format=pdf"))


def look_around(agent: AgentDesk, session: str, trap: Trap) -> None:
    page = agent.page
    agent.looks_at("mine")
    agent.opens(session)
    log = page.get_by_role("log")
    for _ in range(60):  # upwards through what is only drawn when it is in sight
        page.wait_for_timeout(50)
        trap.is_empty(page)
        if log.evaluate("(one) => (one.scrollBy(0, -one.clientHeight * 3), one.scrollTop)") == 0:
            break
    expect(log.get_by_text(payloads()[0]).first).to_be_visible()
    for tab in page.get_by_role("complementary").get_by_role("tab").all():
        tab.click()
        page.wait_for_load_state("networkidle")
        trap.is_empty(page)
    agent.composer.press_sequentially("/alert")
    expect(page.get_by_role("region", name="Quick replies").get_by_role("option").first).to_be_visible()
    trap.is_empty(page)
    page.goto(f"{agent.address}/workbench/sessions/{LATE}")
    agent.takes_over()
    expect(page.get_by_text(ADDRESS).first).to_be_visible()
    trap.is_empty(page)
    for path in (
        "replies",
        "tags",
        "wallboard",
        "hours",
        "audit",
        "search?q=alert",
        "search?q=%3Csvg%20onload%3Dalert()%3E",
    ):
        page.goto(f"{agent.address}/workbench/{path}")
        page.wait_for_load_state("networkidle")
        trap.is_empty(page)


def read_articles(page: Page, api: Callable[..., Any], token: str, trap: Trap) -> None:
    """As the public sees them. Pictures from elsewhere are what authors may show there."""
    articles = [
        one for one in api(token, "/api/knowledge/articles?limit=100")["data"]["articles"] if "zebra" in one["title"]
    ]
    assert articles
    for one in articles:
        page.goto(f"{trap.product.address}/articles/{one['id']}")
        page.wait_for_load_state("networkidle")
        trap.caught[:] = [caught for caught in trap.caught if not caught.startswith("image https://")]
        trap.is_empty(page)


def read_mail(page: Page, trap: Trap) -> None:
    """Without any policy of ours, as in a mail program that knows none."""
    server = MailServer("127.0.0.1", 25, "", "", starttls=False, ca_file=None, sender="a@shop.example", sender_name=SVG)
    session = blank("s_1")
    session.nickname, session.email, session.escalation_reason = payloads()[40], ADDRESS, SVG
    said = [
        entry("session/s_1", n, Fact("message.posted", VISITOR, {"role": "user", "content": batch}), n)
        for n, batch in enumerate(batches(30), 1)
    ]
    body = team_mail(server, session, said, Place(SVG, "UTC", SVG), ["desk@shop.example"]).get_body(("html",))
    assert body is not None
    page.set_content(body.get_content())
    page.wait_for_timeout(300)
    expect(page.get_by_text(ADDRESS)).to_be_visible()
    expect(page.get_by_text("<img srcset=x onerror=alert(1)>")).to_be_visible()
    trap.is_empty(page)


def the_trap_works(page: Page, trap: Trap) -> None:
    page.set_content(f'{SVG}<img src="https://evil.example/"><a href=javascript:alert(1)>x</a>')
    page.wait_for_timeout(300)
    assert [caught.partition(" ")[0] for caught in sorted(trap.caught)] == ["alert", "image"]
    assert len(page.evaluate(ARMED)) == 2


def nothing_runs_in_the_pdf(content: bytes) -> None:
    pdf = pypdfium2.PdfDocument(BytesIO(content))
    assert raw.FPDFDoc_GetJavaScriptActionCount(pdf.raw) == 0
    text = "".join(page.get_textpage().get_text_bounded() for page in pdf)
    assert "<svg/onload=alert(1)>" in text
    assert '#eval("1")' in text
    for page in pdf:
        assert raw.FPDFPage_GetAnnotCount(page.raw) == 0
