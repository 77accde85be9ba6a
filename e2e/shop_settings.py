"""What a lead does on the pages of the workbench that hold a shop's settings."""

from playwright.sync_api import Page, expect

from e2e.test_looks import faults_by_day_and_by_night


def invites(lead: Page, text: str) -> None:
    """To who has a full cart, at once."""
    lead.get_by_role("button", name="Add an invitation").click()
    form = lead.get_by_role("group", name="Invitations 1")
    form.get_by_label("In English").fill(text)
    form.get_by_label("After").fill("0")
    form.get_by_label("Address contains").fill("/cart*m")
    form.get_by_label("Cart worth at least").fill("500")
    assert faults_by_day_and_by_night(lead) == []
    lead.get_by_role("button", name="Save").click()
    expect(lead.get_by_text("Invitations saved")).to_be_visible()


def asks_for_consent(lead: Page) -> None:
    """While chats are open that know nothing of it."""
    lead.get_by_text("To agree to").click()
    lead.get_by_label("Words in English").fill("We keep it a year.")
    lead.get_by_label("Words in Chinese").fill("我们保留一年。")
    with lead.expect_response(lambda answer: answer.request.method == "PUT" and answer.ok):
        lead.get_by_role("button", name="Save").click()


def enforced(page: Page) -> str:
    """Have the shop believe only what its server signs; the secret for it."""
    page.get_by_role("link", name="Shop security").click()
    page.get_by_role("button", name="Create a secret").click()
    secret = page.get_by_role("dialog").locator("code").inner_text()
    page.get_by_role("button", name="I have copied it").click()
    page.get_by_role("radio", name="Enforce").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert secret not in page.content()
    return secret
