"""An administrator hires an agent, says what roles may do, and locks somebody out; the desks follow at once."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from e2e.actors import AgentDesk
from e2e.conftest import Desk, OpenContext
from e2e.product import LENA, ROOT, Product
from e2e.test_looks import faults
from e2e.test_shots import shoot
from e2e.words import Locale
from servers import free_port
from sso.identity_provider import CLIENT, SECRET, IdentityProvider

OWN = "my-own-bicycle-9"
TEAM = {"en": "Team", "zh": "团队"}
SESSIONS = {"en": "Conversations", "zh": "会话"}
ROLES = {"en": "Roles", "zh": "角色"}
SSO = {"en": "Sign in with single sign-on", "zh": "使用单点登录"}
FOREIGN = {"en": "not begun in this tab", "zh": "不是在此标签页发起的"}
NOT_INVITED = {"en": "Ask an administrator to invite you", "zh": "请联系管理员邀请您"}


@pytest.fixture(scope="module")
def there() -> Iterator[IdentityProvider]:
    """A provider of single sign-on, on a thread of its own."""
    provider, app, port = IdentityProvider(), FastAPI(), free_port()
    provider.routes(app)
    provider.address = f"http://127.0.0.1:{port}"
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = Thread(target=server.run)
    thread.start()
    yield provider
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def product(staffed: Path, tmp_path_factory: pytest.TempPathFactory, there: IdentityProvider) -> Iterator[Product]:
    data, port = tmp_path_factory.mktemp("data"), free_port()
    shutil.copytree(staffed, data, dirs_exist_ok=True)
    there.redirect = f"http://127.0.0.1:{port}/workbench/login"
    oidc = {"OIDC_ISSUER": there.address, "OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET": SECRET}
    product = Product(data, oidc | {"OIDC_REDIRECT_URI": there.redirect}, port)
    product.start()
    yield product
    product.stop()


def chooses_a_password(agent: AgentDesk, shown: str) -> None:
    words = agent.words
    dialog = agent.page.get_by_role("dialog", name=words.choose_password)
    for label, text in ((words.old_password, shown), (words.new_password, OWN), (words.repeat_password, OWN)):
        dialog.get_by_label(label, exact=True).fill(text)
    dialog.get_by_role("button", name=words.save_password).click()
    expect(agent.page.get_by_role("tablist")).to_be_visible()


def makes_a_role(page: Page) -> None:
    """Agents who see the figures too."""
    page.get_by_role("button", name="New role").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name in English").fill("Night shift")
    form.get_by_label("Name in Chinese").fill("夜班")
    form.get_by_label("Begin like").select_option("agent")
    form.get_by_label("See the figures of the team").check()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("columnheader", name="Night shift")).to_be_visible()


def test_a_new_agent_signs_in_a_role_changes_their_menu_and_disabling_ends_it(
    desk: Desk, context: OpenContext, product: Product
) -> None:
    admin = desk(ROOT)
    page = admin.page
    page.get_by_role("link", name="Team").click()
    page.get_by_role("button", name="New agent").click()
    form = page.get_by_role("dialog")
    form.get_by_label("User name").fill("mia")
    form.get_by_label("Name", exact=False).nth(1).fill("Mia")
    form.get_by_role("button", name="Save").click()
    shown = page.get_by_role("dialog", name="One-time password for Mia")
    password = shown.locator("code").inner_text()
    shown.get_by_role("button", name="Done").click()
    row = page.get_by_role("row", name="Mia")
    expect(row).to_contain_text("Has a one-time password")

    mia = AgentDesk(context("en").new_page(), product.address, "en")
    mia.opens_the_login()
    mia.tries("mia", password)
    chooses_a_password(mia, password)
    wallboard = mia.page.get_by_role("link", name="Live board")
    expect(wallboard).to_be_hidden()
    expect(mia.page.get_by_role("link", name="Roles")).to_be_hidden()

    page.get_by_role("link", name="Roles").click()
    makes_a_role(page)
    page.get_by_role("link", name="Team").click()
    page.get_by_role("button", name="Edit Mia").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Role").select_option("Night shift")
    form.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Night shift")
    expect(wallboard).to_be_visible()

    row.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog", name="Disable").get_by_role("button", name="Disable").click()
    expect(mia.page.get_by_role("button", name=mia.words.sign_in, exact=True)).to_be_visible()


@pytest.mark.parametrize("locale", ["zh"])
def test_the_pages_by_day_and_by_night(desk: Desk, locale: Locale) -> None:
    page = desk(ROOT, locale).page
    page.get_by_role("link", name=TEAM[locale]).click()
    expect(page.get_by_role("row", name=LENA.name)).to_be_visible()
    shoot(page, f"admin-team-{locale}")
    assert faults(page) == []
    page.get_by_role("link", name=ROLES[locale]).click()
    expect(page.get_by_role("table")).to_be_visible()
    shoot(page, f"admin-roles-{locale}")
    assert faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    for place in (SESSIONS[locale], ROLES[locale]):
        page.get_by_role("link", name=place).click()
        expect(page.get_by_role("link", name=place)).to_be_in_viewport(ratio=1)
        expect(page.locator("button.opener")).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("locale", ["zh"])
def test_an_invited_agent_signs_in_at_the_provider(
    desk: Desk, context: OpenContext, product: Product, there: IdentityProvider, locale: Locale
) -> None:
    agent = AgentDesk(context(locale).new_page(), product.address, locale)
    page = agent.page
    agent.opens_the_login()
    page.get_by_role("button", name=SSO[locale]).click()
    expect(page.get_by_role("alert")).to_contain_text(NOT_INVITED[locale])
    assert "code=" not in page.url
    shoot(page, f"admin-sso-{locale}")

    team = desk(ROOT).page
    team.get_by_role("link", name="Team").click()
    team.get_by_role("button", name="New agent").click()
    form = team.get_by_role("dialog")
    form.get_by_label("User name").fill(there.person.email)
    form.get_by_label("Name", exact=False).nth(1).fill("Mei")
    form.get_by_text("May sign in at the provider").click()
    form.get_by_role("button", name="Save").click()
    expect(team.get_by_role("row", name="Mei")).to_contain_text("Invited to single sign-on")

    page.get_by_role("button", name=SSO[locale]).click()
    expect(page.get_by_role("tablist")).to_be_visible()
    page.goto(f"{product.address}/workbench/login?code=stolen&state=foreign")
    expect(page.get_by_role("alert")).to_contain_text(FOREIGN[locale])
