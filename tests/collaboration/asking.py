"""Requests of people in these tests beside those that `actors` has."""

import httpx2

from accounts.team import bearer
from actors import Caller


async def put(who: Caller, path: str, body: object) -> httpx2.Response:
    return await who.stage.http.put(path, json=body, headers=bearer(who.token))


async def delete(who: Caller, path: str) -> httpx2.Response:
    return await who.stage.http.delete(path, headers=bearer(who.token))
