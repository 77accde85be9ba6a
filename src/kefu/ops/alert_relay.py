"""Alerts of Alertmanager as messages of a WeCom group robot, which takes another form than its webhooks have.

A process of its own (`kefu alert-relay`), for it must speak when Kefu does not. Needs no database.

Sources: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config and
https://developer.work.weixin.qq.com/document/path/91770.
"""

import hmac
from typing import Annotated, ClassVar, Literal

import orjson
import typer
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field

from kefu.kit.config import BadSettings, Problem, Settings, load_settings
from kefu.kit.errors import NotSignedIn, Unavailable
from kefu.kit.http import AddressRefused, Call, NoAnswer, Outbound
from kefu.kit.i18n import Locale, Text
from kefu.kit.logs import set_up_logs
from kefu.kit.web import Done, Edge, add_errors

MOST_BYTES = 4096  # of a robot's markdown, in UTF-8
MOST_ALERTS = 100
Map = dict[str, str]
TITLES: dict[str, Text] = {
    "firing": {"en": "Alert", "zh": "告警"},
    "resolved": {"en": "Over", "zh": "已恢复"},
}
COLORS = {"firing": "warning", "resolved": "info"}
MORE: Text = {"en": "… and {count} more", "zh": "……另有 {count} 条"}


class Alert(BaseModel):
    status: Literal["firing", "resolved"]
    labels: Map = Field(default_factory=dict)
    annotations: Map = Field(default_factory=dict)
    startsAt: str = ""  # noqa: N815 - as Alertmanager writes it


class Alerts(BaseModel):
    """Version 4 of Alertmanager's webhooks."""

    alerts: Annotated[list[Alert], Field(min_length=1)]


class RobotRefused(Unavailable):
    """`code`: WeCom's; 45009: more than twenty messages in a minute. Alertmanager asks again later."""

    code = "ROBOT_REFUSED"
    text: ClassVar[Text] = {
        "en": "The robot does not take the message ({code}).",
        "zh": "群机器人未接收消息（{code}）。",
    }


def relay(settings: Settings, locale: Locale) -> FastAPI:
    """`POST /alerts` with METRICS_TOKEN as its bearer, if one is set. 503: not delivered, ask again."""
    outbound, robot = Outbound(settings.outbound_allow), settings.wecom_robot_url.get_secret_value()
    token = settings.metrics_token.get_secret_value()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/alerts")
    async def take(request: Request, body: Alerts) -> Done:
        given = request.headers.get("authorization", "").encode()
        if token and not hmac.compare_digest(given, f"Bearer {token}".encode()):
            raise NotSignedIn
        await _tell(outbound, robot, message(body.alerts, locale))
        return Done()

    add_errors(app)
    app.add_middleware(Edge)
    return app


async def _tell(outbound: Outbound, robot: str, markdown: str) -> None:
    """Raises RobotRefused, whatever is wrong; the address is a secret and stands in no error."""
    content = orjson.dumps({"msgtype": "markdown", "markdown": {"content": markdown}})
    try:
        answer = await outbound.call(Call("POST", robot, {"Content-Type": "application/json"}, content))
        said = orjson.loads(answer.body) if answer.status == 200 else {"errcode": f"HTTP {answer.status}"}
    except (NoAnswer, AddressRefused) as error:
        raise RobotRefused(code=error.details.get("reason", "")) from None
    except ValueError:
        raise RobotRefused(code="malformed") from None
    if not isinstance(said, dict) or said.get("errcode") != 0:
        raise RobotRefused(code=str(said.get("errcode") if isinstance(said, dict) else "malformed")[:40])


def message(alerts: list[Alert], locale: Locale) -> str:
    """Markdown as the robot takes it, as many alerts as fit: those that burn first, the critical ones before all."""
    ranked = sorted(alerts, key=lambda one: (one.status != "firing", one.labels.get("severity") != "critical"))
    lines: list[str] = []
    for number, one in enumerate(ranked[:MOST_ALERTS]):
        more = MORE[locale].format(count=len(ranked) - number)
        if len("\n".join([*lines, _line(one, locale), more]).encode()) > MOST_BYTES:
            break
        lines.append(_line(one, locale))
    left = len(ranked) - len(lines)
    return "\n".join([*lines, MORE[locale].format(count=left)] if left else lines)


def _line(one: Alert, locale: Locale) -> str:
    title = f'<font color="{COLORS[one.status]}">{TITLES[one.status][locale]}</font>'
    title += f" **{_plain(one.labels.get('alertname', '?'))}**"
    said = one.annotations.get("zh" if locale == "zh" else "summary") or one.annotations.get("summary", "")
    return f"{title}\n> {_plain(said)}" if said else title


def _plain(said: str) -> str:
    """Text that is no markdown, on one line."""
    return " ".join(said.replace("<", "(").replace(">", ")").split())[:600]


def serve_relay(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on")] = 9099,
    lang: Annotated[Locale, typer.Option(help="Of the messages")] = "zh",
) -> None:
    """Pass alerts of Alertmanager on to the WeCom robot of WECOM_ROBOT_URL, until stopped."""
    settings = load_settings()
    if not settings.wecom_robot_url.get_secret_value():
        raise BadSettings([Problem("WECOM_ROBOT_URL", "is not set", "Use the address that WeCom shows for the robot.")])
    logs = set_up_logs(settings.log_level)
    try:
        uvicorn.run(relay(settings, lang), host=host, port=port, log_config=None, access_log=False, server_header=False)
    finally:
        logs.stop()
