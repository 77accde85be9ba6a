"""Where something on the way lets no WebSocket, or no stream at all, through, the conversation goes on live."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect

from e2e.actors import AgentDesk, Visitor
from e2e.conftest import Desk, OpenContext, Visit
from e2e.nginx import Nginx, Secured
from e2e.product import LENA, Product

# Twice six seconds without a byte, and pauses between.
GIVEN_UP_AFTER = 45_000
# What is to be compressed is gathered first, and what is heard then is too late.
HOLDS_STREAMS_BACK = "proxy_ignore_headers X-Accel-Buffering; gzip on; gzip_min_length 0; gzip_types text/event-stream;"


@pytest.fixture(scope="module")
def proxied(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Starts an nginx before the product; its address."""
    running: list[Nginx] = []

    def start(more: str = "") -> str:
        one = Nginx(tmp_path_factory.mktemp("nginx"), product.address, more)
        running.append(one)
        one.start()
        return one.address

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def secured(product: Product, tmp_path: Path) -> Iterator[str]:
    nginx = Secured(tmp_path, product.port)
    nginx.start()
    yield nginx.address
    nginx.stop()


def paths(page: Page) -> list[str]:
    """The paths of all requests from now on, with their queries."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition("//")[2].partition("/")[2]))
    return asked


def test_the_workbench_listens_over_sockets_and_types_over_them(desk: Desk, visit: Visit) -> None:
    agent, visitor = desk(), visit()
    visitor.is_in_the_chat()
    visitor.asks("Is anybody there?")
    visitor.calls_a_person()
    asked, sockets, up = paths(agent.page), list[str](), list[str]()

    def hear(socket: WebSocket) -> None:
        sockets.append(socket.url)
        socket.on("framesent", lambda frame: up.append(str(frame)))

    agent.page.on("websocket", hear)
    agent.opens(visitor.session)
    agent.takes_over()
    agent.composer.press_sequentially("I am here")
    expect(visitor.chat.locator(".typing")).to_be_visible()
    agent.composer.press("Enter")
    visitor.sees("I am here")
    assert [url.rpartition("/ws/")[2] for url in sockets] == [f"session/{visitor.session}"]
    assert any('"typing"' in frame for frame in up)
    assert not [path for path in asked if "/typing" in path or path.endswith("/events")]


def test_where_no_socket_gets_through_the_workbench_listens_to_streams(
    context: OpenContext, proxied: Callable[..., str], visit: Visit
) -> None:
    agent, visitor = AgentDesk(context().new_page(), proxied(), "en"), visit()
    asked = paths(agent.page)
    agent.signs_in(LENA)
    visitor.is_in_the_chat()
    visitor.asks("Hello?")
    visitor.calls_a_person()
    agent.opens(visitor.session)
    agent.takes_over()
    agent.sees("Hello?")
    visitor.says("Can you read this?")
    agent.sees("Can you read this?")
    agent.says("I can")
    visitor.sees("I can")
    assert {"api/agent/events", f"api/sessions/{visitor.session}/events"} <= set(asked)


def types_until(agent: AgentDesk, sign: Locator) -> None:
    """The sign of it lasts for seconds only, and who polls may come late to it."""
    for _ in range(8):
        agent.composer.press_sequentially("It does ")
        with suppress(AssertionError):
            return expect(sign).to_be_visible(timeout=2500)
    return expect(sign).to_be_visible()


def test_where_streams_are_held_back_the_widget_polls(
    context: OpenContext, proxied: Callable[..., str], desk: Desk, product: Product
) -> None:
    agent, visitor = desk(), Visitor(context().new_page(), proxied(HOLDS_STREAMS_BACK), "en")
    asked = paths(visitor.page)
    visitor.is_in_the_chat()
    visitor.says("Does this get through?")
    expect(visitor.answers).to_have_count(1, timeout=GIVEN_UP_AFTER)
    assert any("&wait=" in path for path in asked)

    visitor.calls_a_person()
    agent.opens(visitor.session)
    agent.takes_over()
    types_until(agent, visitor.chat.locator(".typing"))
    agent.composer.fill("It does")
    agent.composer.press("Enter")
    visitor.sees("It does")
    visitor.says("Good")
    agent.sees("Good")
    assert visitor.said() == agent.said() == product.messages(visitor.session)


def test_over_tls_by_the_recommended_files_all_goes_on_live(context: OpenContext, secured: str) -> None:
    agent = AgentDesk(context(ignore_https_errors=True).new_page(), secured, "en")
    visitor = Visitor(context(ignore_https_errors=True).new_page(), secured, "en")
    sockets = list[str]()
    agent.page.on("websocket", lambda socket: sockets.append(socket.url))
    agent.signs_in(LENA)
    visitor.is_in_the_chat()
    visitor.asks("Is this line safe?")
    visitor.calls_a_person()
    agent.opens(visitor.session)
    agent.takes_over()
    agent.says("It is")
    visitor.sees("It is")
    assert sockets
    assert all(url.startswith("wss://") for url in sockets)
    protocol = agent.page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")
    page = agent.page.request.get(f"{secured}/workbench/")
    assert (protocol, page.headers["strict-transport-security"]) == ("h2", "max-age=31536000")
