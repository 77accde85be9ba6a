"""Write web/api/openapi.json from the service, and the client's types from that.

python scripts/openapi.py [--check]     --check writes nothing and fails when either is stale
"""

import difflib
import json
import sys
import tempfile
from pathlib import Path

from kefu.kit.config import Settings
from kefu.main import create_app
from steps import ROOT, run, stop

DOCUMENT = ROOT / "web/api/openapi.json"
CLIENT = ROOT / "web/api/src/generated"
REMEDY = "Run: make openapi"
SHOWN = 60


def document() -> str:
    """As the service gives it; one key a line, so that a change reads well."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=Path(folder), database_url=""))
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


def generate(target: Path) -> None:
    """Write the client's types, made from the document on the disk."""
    command = ["npx", "openapi-ts", "--silent", "--no-log-file", "-f", "openapi-ts.config.ts", "-o", str(target)]
    if not run("Client types", command, cwd=DOCUMENT.parent):
        stop("The client's types were not generated", "The log above says why")


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def check() -> None:
    fresh = document()
    kept = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    if fresh != kept:
        changes = list(difflib.unified_diff(kept.splitlines(), fresh.splitlines(), "kept", "fresh", lineterm=""))
        print("\n".join(changes[:SHOWN]))
        stop("web/api/openapi.json is stale", REMEDY)
    # Beside the kept ones, so that imports and settings are found the same way.
    with tempfile.TemporaryDirectory(dir=CLIENT.parent, prefix=".generated-") as folder:
        generate(Path(folder))
        if files(Path(folder)) != files(CLIENT):
            stop("web/api/src/generated is stale", REMEDY)


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        check()
    else:
        DOCUMENT.write_text(document())
        generate(CLIENT)
