"""What goes wrong is told: rules that know the metrics there are, and real Alertmanager to a mailbox and a robot."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import yaml
from cryptography import x509

from ai.provider import OWN, Provider, answers, provider
from certificates import own_certificate
from channels.post_office import PASSWORD, PostOffice, post_office
from faults.waiting import until
from kefu.ops.alert_relay import MOST_BYTES, Alert, message
from servers import free_port

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/rules/kefu.yml"
RULE_TESTS = Path(__file__).with_name("alerts.yml")
CONFIG = ROOT / "deploy/alertmanager/alertmanager.yml"
TOKEN = "a long one for prometheus"
ROBOT = {"errcode": 0, "errmsg": "ok"}


def promtool(*arguments: str | Path, said: str = "") -> None:
    done = subprocess.run(["promtool", *arguments], input=said, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_each_alert_is_heard_when_it_must_be_and_not_when_it_must_not() -> None:
    promtool("check", "rules", RULES)
    promtool("test", "rules", RULE_TESTS)
    tests = [one["name"] for one in yaml.safe_load(RULE_TESTS.read_text())["tests"]]
    alerts = [rule["alert"] for rule in rules() if "alert" in rule]
    assert sorted(tests) == sorted(f"{name}, {kind}" for name in alerts for kind in ("heard", "quiet"))


def test_each_alert_speaks_both_languages_and_is_explained() -> None:
    page = (ROOT / "docs/operate/monitoring.md").read_text()
    for rule in rules():
        if "alert" in rule:
            assert {"summary", "zh"} <= set(rule["annotations"]), rule["alert"]
            assert f"**{rule['alert']}**" in page, rule["alert"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_rules_and_the_page_know_the_metrics_there_are(client: httpx2.AsyncClient) -> None:
    told = (await client.get("/api/metrics")).text
    promtool("check", "metrics", said=told)
    names = set(re.findall(r"^# TYPE (kefu_\w+) ", told, re.MULTILINE))
    on_demand = {"kefu_certificate_expires_timestamp_seconds", "kefu_redis_connections"}
    asked = {
        re.sub(r"_(bucket|count|sum)$", "", name)
        for text in (RULES.read_text(), (ROOT / "docs/operate/monitoring.md").read_text())
        for name in re.findall(r"\bkefu_[a-z_]+[a-z]\b", text)
    }
    assert asked - names - on_demand == set()
    undocumented = {one for one in names - asked if not one.endswith("_created")}
    assert undocumented == set()


@asynccontextmanager
async def running(*command: str | Path, at: str, **environment: str) -> AsyncIterator[None]:
    """A program, once its address answers anything."""
    env = {"PATH": os.environ["PATH"], **environment}
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    async def answers_at_all() -> bool:
        assert process.returncode is None
        async with httpx2.AsyncClient() as http:
            try:
                await http.get(at)
            except httpx2.TransportError:
                return False
        return True

    try:
        await until(answers_at_all, 60)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def alerting(folder: Path, office: PostOffice, robot: Provider) -> AsyncIterator[str]:
    """The address of an Alertmanager with the committed configuration, but for the addresses in it."""
    relay, here = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    (folder / "password").write_text(PASSWORD)
    (folder / "token").write_text(TOKEN)
    text = CONFIG.read_text()
    for ours, theirs in {
        "smtp.shop.example:587": f"127.0.0.1:{office.port}",
        "/run/secrets/SMTP_PASSWORD": str(folder / "password"),
        "/run/secrets/METRICS_TOKEN": str(folder / "token"),
        "http://alert-relay:9099": relay,
        "group_wait: 30s": "group_wait: 0s",
        "group_wait: 10s": "group_wait: 0s",
        "html: ''": f"html: ''\n        tls_config: {{ca_file: '{folder / 'mail.pem'}'}}",
    }.items():
        assert ours in text
        text = text.replace(ours, theirs)
    (folder / "alertmanager.yml").write_text(text)
    listen = here.removeprefix("http://")
    manager = (
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'state'}",
        f"--web.listen-address={listen}",
        "--cluster.listen-address=",
    )
    kefu = (Path(sys.executable).with_name("kefu"), "alert-relay", "--port", relay.rpartition(":")[2])
    settings = {
        "WECOM_ROBOT_URL": f"{robot.url}/cgi-bin/webhook/send?key=canary-of-the-robot",
        "METRICS_TOKEN": TOKEN,
        "OUTBOUND_ALLOW": OWN[0],
        "KEFU_DATA_DIR": str(folder / "data"),
    }
    async with running(*kefu, at=relay, **settings), running(*manager, at=f"{here}/-/ready"):
        yield here


async def test_an_alert_reaches_mailbox_and_robot_also_when_the_robot_is_busy_at_first(tmp_path: Path) -> None:
    certificate = own_certificate(tmp_path / "mail.pem", x509.IPAddress(ip_address("127.0.0.1")))
    busy = {"errcode": 45009, "errmsg": "api freq out of limit"}
    async with (
        post_office(certificate) as office,
        provider(answers(busy), answers(ROBOT)) as robot,
        alerting(tmp_path, office, robot) as manager,
        httpx2.AsyncClient() as http,
    ):
        labels = {"alertname": "KefuNobodyOnDuty", "severity": "critical"}
        said = {"summary": "Nobody is on duty within service hours.", "zh": "服务时间内无人值班。"}
        sent = await http.post(f"{manager}/api/v2/alerts", json=[{"labels": labels, "annotations": said}])
        assert sent.status_code == 200
        await until(lambda: len(robot.heard) == 2 and bool(office.mails), 60)
    ((to, mail),) = office.mails
    assert (to, mail["Subject"]) == ("on-call@shop.example", "[Kefu] firing: KefuNobodyOnDuty")
    body = mail.get_body(("plain",))
    assert body
    assert "服务时间内无人值班。" in body.get_content()
    assert office.was_encrypted == [True]
    first, second = (orjson.loads(one.content) for one in robot.heard)
    assert (
        first
        == second
        == {
            "msgtype": "markdown",
            "markdown": {"content": '<font color="warning">告警</font> **KefuNobodyOnDuty**\n> 服务时间内无人值班。'},
        }
    )
    assert robot.heard[0].path == "/cgi-bin/webhook/send?key=canary-of-the-robot"


def test_a_flood_of_alerts_is_one_message_that_fits_with_the_worst_first() -> None:
    def alert(number: int, status: str, severity: str) -> Alert:
        labels = {"alertname": f"Alert{number}", "severity": severity}
        return Alert.model_validate({"status": status, "labels": labels, "annotations": {"zh": "磁" * 300 + "<b>"}})

    many = [alert(n, "resolved" if n % 2 else "firing", "critical" if n % 10 == 8 else "warning") for n in range(200)]
    said = message(many, "zh")
    assert len(said.encode()) <= MOST_BYTES
    assert said.startswith('<font color="warning">告警</font> **Alert8**')
    assert "<b>" not in said
    shown = said.count("**Alert")
    assert said.endswith(f"……另有 {200 - shown} 条")
    assert shown >= 3
    assert message([Alert(status="resolved")], "en") == '<font color="info">Over</font> **?**'
