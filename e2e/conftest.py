"""The product as it is run, and real browsers before it. The web apps must have been built (`make setup`)."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright

from dealing import dealt, workers_of
from e2e.actors import AgentDesk, Visitor
from e2e.product import CHEN, LENA, ROOT, WANG, ZHOU, Account, Product, employ, kefu
from e2e.words import Locale
from servers import Servers

# The engine without a window around it takes a fifth less of the machine.
CHROMIUMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
# What costs a third of a browser's time and no page of ours sees: a process kept ready for the next page, and two pages
# below the address bar of every window.
UNSEEN = ("SpareRendererForSitePerProcess", "WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
# Chromium obeys the last list only, so here is what Playwright's own would have switched off.
BY_PLAYWRIGHT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page lives for seconds here: compiling its hot code once more costs a tenth of it and is never paid back.
    "--js-flags=--no-opt --no-maglev",
    f"--disable-features={','.join(BY_PLAYWRIGHT + UNSEEN)}",
)
TAGS: dict[Locale, str] = {"en": "en-GB", "zh": "zh-CN"}
PATIENCE = 20_000
STATIC = Path(__file__).parents[1] / "src/kefu/static"
SHOTS = Path(__file__).parent / "shots"
FAILED = pytest.StashKey[bool]()
LONG = ("test_nothing_is_lost", "test_nothing_runs", "test_edge")


class OpenContext(Protocol):
    def __call__(self, locale: Locale = "en", *, seat: str = "", **options: Any) -> BrowserContext: ...


class Visit(Protocol):
    def __call__(self, locale: Locale = "en", **options: Any) -> Visitor: ...


class Desk(Protocol):
    def __call__(self, account: Account = LENA, locale: Locale = "en", **options: Any) -> AgentDesk: ...


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = dealt(items, workers_of(config), LONG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = report.failed or item.stash.get(FAILED, False)
    return report


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = next(filter(Path.is_file, CHROMIUMS), None)
    if not program:
        pytest.exit(f"{CHROMIUMS[0]} is missing: apt-get install {CHROMIUMS[0].name} fonts-noto-cjk", returncode=1)
    if not (STATIC / "widget/index.html").is_file():
        pytest.exit("The web apps are not built: make setup", returncode=1)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Servers]:
    """What all workers of the run share."""
    own = tmp_path_factory.getbasetemp()
    servers = Servers(own if worker_id == "master" else own.parent)
    yield servers
    servers.close()


@pytest.fixture(scope="session")
def stocked(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a shop with its knowledge and nobody in it, to copy."""

    def make() -> str:
        data = tmp_path_factory.mktemp("stocked")
        kefu(data, "demo")
        return str(data)

    return Path(servers.once("stocked-shop", make))


@pytest.fixture(scope="session")
def staffed(servers: Servers, stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with two agents, two supervisors and an administrator."""

    def make() -> str:
        data = tmp_path_factory.mktemp("staffed")
        shutil.copytree(stocked, data, dirs_exist_ok=True)
        employ(data, (LENA, WANG, CHEN, ZHOU, ROOT))
        return str(data)

    return Path(servers.once("staffed-shop", make))


@contextmanager
def starting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Product]]:
    """Starts products, each on a copy of a data folder, and stops them in the end."""
    running: list[Product] = []

    def run(template: Path, **settings: str) -> Product:
        data = tmp_path_factory.mktemp("data")
        shutil.copytree(template, data, dirs_exist_ok=True)
        product = Product(data, settings)
        running.append(product)
        product.start()
        return product

    try:
        yield run
    finally:
        for product in running:
            product.stop()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Product]]:
    """For a module that kills its product, sets it up in another way or counts what others have left."""
    with starting(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="session")
def shared(staffed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with starting(tmp_path_factory) as start:
        yield start(staffed)


@pytest.fixture(scope="module")
def product(shared: Product) -> Product:
    """Nobody waits in its queue, though the worker's earlier modules have used it."""
    shared.closes_what_is_open()
    return shared


class Seats:
    """Browsers of agents, kept with their sign-in for the next test: they have read the workbench already."""

    def __init__(self) -> None:
        self._free: defaultdict[str, list[BrowserContext]] = defaultdict(list)

    def take(self, seat: str) -> BrowserContext | None:
        return self._free[seat].pop() if self._free[seat] else None

    def leave(self, seat: str, browser: BrowserContext) -> None:
        for page in browser.pages:
            page.close()
        browser.set_offline(offline=False)
        browser.unroute_all()
        self._free[seat].append(browser)


@pytest.fixture(scope="session")
def seats() -> Seats:
    return Seats()


@pytest.fixture
def context(chromium: Browser, seats: Seats, request: pytest.FixtureRequest) -> Iterator[OpenContext]:
    """Opens browsers that share nothing. A script that fails in one of their pages fails the test.

    What their pages showed at the end of a test that failed is kept under shots/failed. `seat`: who may find this
    browser again in another test.
    """
    opened: list[tuple[str, BrowserContext]] = []
    faults: list[str] = []

    def hear(page: Page) -> None:
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {_said(error)}"))
        page.on("console", lambda line: _keep_refusals(line, faults))

    def new(locale: Locale = "en", *, seat: str = "", **options: Any) -> BrowserContext:
        settings = {"locale": TAGS[locale], "timezone_id": "Europe/Berlin", "viewport": {"width": 1440, "height": 900}}
        one = (seat and seats.take(seat)) or chromium.new_context(**{**settings, **options})
        one.on("page", hear)
        opened.append((seat, one))
        return one

    yield new
    has_failed = request.node.stash.get(FAILED, False)
    if has_failed:
        for n, page in enumerate(page for _, one in opened for page in one.pages):
            page.screenshot(path=SHOTS / "failed" / f"{request.node.name}-{n}.png")
    for seat, one in opened:
        one.remove_listener("page", hear)
        if seat and not has_failed:
            seats.leave(seat, one)
        else:
            one.close()
    assert faults == []


def _said(error: Error) -> str:
    return error.stack or error.message


def _keep_refusals(line: ConsoleMessage, faults: list[str]) -> None:
    """What a content security policy refused is only told on the console."""
    if line.type == "error" and "Content Security Policy" in line.text:
        faults.append(line.text)


@pytest.fixture
def chromium_refusal(chromium: Browser, product: Product) -> Iterator[Visitor]:
    """A visitor whose browser is expected to refuse something."""
    context = chromium.new_context(locale=TAGS["en"])
    yield Visitor(context.new_page(), product.address, "en")
    context.close()


@pytest.fixture
def visit(context: OpenContext, product: Product) -> Visit:
    def new(locale: Locale = "en", **options: Any) -> Visitor:
        return Visitor(context(locale, **options).new_page(), product.address, locale)

    return new


@pytest.fixture
def desk(context: OpenContext, product: Product) -> Desk:
    """An agent who has signed in, perhaps in an earlier test unless the browser was given something to keep."""

    def new(account: Account = LENA, locale: Locale = "en", **options: Any) -> AgentDesk:
        seat = "" if "storage_state" in options else f"{product.address} {account.username} {locale} {options}"
        agent = AgentDesk(context(locale, seat=seat, **options).new_page(), product.address, locale)
        if seat:
            agent.sits_down(account)
        else:
            agent.signs_in(account)
        return agent

    return new
