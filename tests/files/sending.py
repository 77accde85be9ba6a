"""How files are sent in these tests."""

from pathlib import Path
from typing import Any

import httpx2

from accounts.team import bearer
from actors import Agent, Caller, Visitor, data_of
from files.samples import PHOTO


async def uploads(who: Caller, into: str, content: bytes = PHOTO, name: str = "photo.jpg") -> httpx2.Response:
    form = {"file": (name, content, "image/png")}  # what the header says means nothing
    return await who.stage.http.post(f"/api/sessions/{into}/files", files=form, headers=bearer(who.token))


async def has_uploaded(who: Caller, into: str, content: bytes = PHOTO, name: str = "photo.jpg") -> Any:
    """The file as the message will say it is."""
    return data_of(await uploads(who, into, content, name), 201)


async def sends(who: Visitor | Agent, into: Visitor, *ids: str, said: str = "", msg: str = "m-1") -> httpx2.Response:
    body: dict[str, Any] = {"content": said, "client_msg_id": msg, "files": ids}
    if isinstance(who, Visitor):
        return await who.post(f"/api/sessions/{into.name}/messages", body)
    return await who.post("/api/manual/messages", body | {"session_name": into.name, "role": "agent"})


def on_disk(data: Path) -> list[Path]:
    """Every file of the store, drafts too."""
    return [path for path in (data / "files").rglob("*") if path.is_file()]
