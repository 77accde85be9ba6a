"""What a browser fetches before the desk is there: the page, and all that its first two routes need, gzipped.

Vite writes into the entry what each route brings along; size-limit cannot follow that.
"""

import gzip
import json
import re
import sys
from pathlib import Path

WORKBENCH = Path(__file__).parent.parent / "src/kefu/static/workbench"
FIRST = ("DeskLayout", "SessionsPage")
LIMIT = 240_000


def first_load(built: Path) -> set[str]:
    """The paths of all files, below `built`."""
    page = (built / "index.html").read_text()
    files = set(re.findall(r'/(assets/[^"]+\.(?:js|css))', page)) | {"index.html"}
    (entry,) = re.findall(r'<script[^>]+/(assets/[^"]+\.js)', page)
    script = (built / entry).read_text()
    listed = json.loads(re.findall(r"m\.f=(\[[^\]]*\])", script)[0])
    for route in FIRST:
        found = re.search(rf"import\(\W\./({route}-[\w-]+\.js)\W\)[^_]*,__vite__mapDeps\(\[([\d,]*)\]\)", script)
        if found is None:
            sys.exit(f"{entry} does not say what {route} needs: has Vite changed how it writes it?")
        files.add(f"assets/{found[1]}")
        files.update(listed[int(number)] for number in found[2].split(","))
    return files


def main() -> None:
    size = sum(len(gzip.compress((WORKBENCH / one).read_bytes())) for one in first_load(WORKBENCH))
    sys.stdout.write(f"workbench, first load: {size / 1000:.1f} of {LIMIT // 1000} kB gzipped\n")
    sys.exit(size > LIMIT)


if __name__ == "__main__":
    main()
