"""`kefu serve` with one more route, the bare endpoint: `python -m bench.server <port>`.

It takes the same body through the same middleware and gives the same answer as a visitor's post, without a token and
without a database: the ceiling that the post is measured against.
"""

import sys

from fastapi import APIRouter

from kefu import cli, main
from kefu.kit.clock import iso, now_ms
from kefu.sessions.schemas import MessageStored, PostMessage
from kefu.sessions.states import Status

BARE = "/bench/bare"
router = APIRouter()


@router.post(BARE, status_code=201)
async def bare(body: PostMessage) -> MessageStored:
    return MessageStored(
        session_name="bare", seq=1, client_msg_id=body.client_msg_id, at=iso(now_ms()), status=Status.MANUAL_LIVE
    )


if __name__ == "__main__":
    main.ROUTERS = (router, *main.ROUTERS)
    cli.serve(host="127.0.0.1", port=int(sys.argv[1]))
