"""An administrator hires an agent, says what roles may do, and locks somebody out; the desks follow at once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.actors import AgentDesk
from e2e.conftest import Desk, OpenContext
from e2e.product import LENA, Account, Product, employ
from e2e.test_looks import faults
from e2e.test_shots import LOCALES, shoot
from e2e.words import Locale

ROOT = Account("root", "根", "bicycle-gear-1", "super_admin")
OWN = "my-own-bicycle-9"
TEAM = {"en": "Team", "zh": "团队"}
ROLES = {"en": "Roles", "zh": "角色"}
NEW_ROLE = {"en": "New role", "zh": "新建角色"}


@pytest.fixture(scope="module")
def product(start: Callable[..., Product], staffed: Path) -> Product:
    product = start(staffed)
    employ(product.data, [ROOT])
    return product


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
    dialog = mia.page.get_by_role("dialog", name=mia.words.choose_password)
    for label, text in (
        (mia.words.old_password, password),
        (mia.words.new_password, OWN),
        (mia.words.repeat_password, OWN),
    ):
        dialog.get_by_label(label, exact=True).fill(text)
    dialog.get_by_role("button", name=mia.words.save_password).click()
    expect(mia.page.get_by_role("tablist")).to_be_visible()
    wallboard = mia.page.get_by_role("link", name="Live board")
    expect(wallboard).to_be_hidden()
    expect(mia.page.get_by_role("link", name="Roles")).to_be_hidden()

    page.get_by_role("link", name="Roles").click()
    page.get_by_role("button", name="New role").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name in English").fill("Night shift")
    form.get_by_label("Name in Chinese").fill("夜班")
    form.get_by_label("Begin like").select_option("agent")
    form.get_by_label("See the figures of the team").check()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("columnheader", name="Night shift")).to_be_visible()
    page.get_by_role("link", name="Team").click()
    page.get_by_role("button", name="Edit Mia").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Role").select_option("Night shift")
    form.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Night shift")
    expect(wallboard).to_be_visible()

    row.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog", name="Disable").get_by_role("button", name="Disable").click()
    expect(mia.page.get_by_role("button", name=mia.words.sign_in)).to_be_visible()


@pytest.mark.parametrize("locale", LOCALES)
def test_the_pages_by_day_and_by_night(desk: Desk, locale: Locale) -> None:
    page = desk(ROOT, locale).page
    page.get_by_role("link", name=TEAM[locale]).click()
    expect(page.get_by_role("row", name=LENA.name)).to_be_visible()
    shoot(page, f"admin-team-{locale}")
    assert faults(page) == []
    page.get_by_role("button", name="Lena").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    shoot(page, f"admin-team-edit-{locale}")
    page.keyboard.press("Escape")
    page.get_by_role("link", name=ROLES[locale]).click()
    expect(page.get_by_role("table")).to_be_visible()
    shoot(page, f"admin-roles-{locale}")
    assert faults(page) == []
    page.get_by_role("button", name=NEW_ROLE[locale]).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    shoot(page, f"admin-role-{locale}")
