"""What the guide tells shops to write on their server makes tokens that are believed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from actors import Stage, data_of
from house.sources import ROOT
from shops.signing import secure

GUIDE = (ROOT / "docs/guide/widget.md").read_text()
SAMPLES = {
    language: re.search(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    for language in ("js", "python", "php")
}
USER = {"id": 42, "name": "Ada 王", "email": "ada@shop.example"}
NODE = ROOT / ".tools/bin/node"


def sample(language: str) -> str:
    found = SAMPLES[language]
    assert found
    return found[1]


def run(language: str, folder: Path, secret: str) -> str:
    """As a shop's server would: the token for the user."""
    call = f"({orjson.dumps(USER).decode()}, 'default', '{secret}')"
    file = folder / ("sign.mjs" if language == "js" else "sign.py")
    last = f"console.log(kefuToken{call})" if language == "js" else f"print(kefu_token{call})"
    file.write_text(f"{sample(language)}\n{last}\n")
    program = NODE if language == "js" else sys.executable
    made = subprocess.run(
        [program, file], capture_output=True, timeout=60, check=True, env={"PATH": os.environ["PATH"]}
    )
    return made.stdout.decode().strip()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_samples_for_node_and_python_make_good_tokens(stage: Stage, tmp_path: Path) -> None:
    lead = await stage.agent("lin", "supervisor")
    secret = await secure(lead)
    for language in ("js", "python"):
        visitor = await stage.visitor()
        proof = {"token": run(language, tmp_path, secret)}
        visitor.token = data_of(await visitor.post("/api/visitor/identify", proof))["visitor_token"]
        customer = (await lead.reads(visitor))["customer"]
        told = {"id": customer["id"], "name": customer["name"], "email": customer["email"]}
        assert (told, customer["verified_by"]) == (USER | {"id": "42"}, "token"), language


def test_the_workbench_shows_the_same_samples() -> None:
    shown = (ROOT / "web/workbench/src/shops/samples.ts").read_text()
    for language in SAMPLES:
        assert f"`{sample(language).strip()}`" in shown, language
