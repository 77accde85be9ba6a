"""Saved views of the list of sessions."""

import asyncio

from actors import Stage, code_of, data_of

PATH = "/api/agent/views"


def view(name: str, **shown: str) -> dict[str, object]:
    return {"name": name, "shown": {"tab": "waiting", **shown}}


async def test_each_keeps_their_own_and_the_same_name_is_replaced(stage: Stage) -> None:
    lena, mei = await stage.agent("lena"), await stage.agent("mei")
    await asyncio.gather(*(lena.put(PATH, view("VIPs", customer="vip")) for _ in range(3)))
    kept = data_of(await lena.put(PATH, view(" VIPs ", customer="vip", sort="waitTime")))
    assert [(one["name"], one["shown"]["sort"]) for one in kept] == [("VIPs", "waitTime")]
    assert data_of(await mei.get(PATH)) == []

    data_of(await mei.delete(f"{PATH}/{kept[0]['view_id']}"))
    assert data_of(await lena.get(PATH)) == kept
    for _ in range(2):
        assert data_of(await lena.delete(f"{PATH}/{kept[0]['view_id']}")) == []


async def test_what_no_list_shows_is_refused_and_so_is_one_too_many(stage: Stage) -> None:
    lena = await stage.agent("lena")
    wrong = (
        view("", tab="all"),
        view("a" * 41),
        view("a", tab="nowhere"),
        view("a", customer="poor"),
    )
    for body in wrong:
        assert (await lena.put(PATH, body)).status_code == 422, body
    for n in range(30):
        data_of(await lena.put(PATH, view(f"View {n:02}")))
    assert code_of(await lena.put(PATH, view("One more"))) == "TOO_MANY_VIEWS"
    assert len(data_of(await lena.put(PATH, view("View 07", tab="all")))) == 30
    visitor = await stage.visitor()
    assert (await visitor.get(PATH)).status_code == 403
