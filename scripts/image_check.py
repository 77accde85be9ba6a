"""`make image-check`: the steps of deploy/Dockerfile in a Debian made by debootstrap, and what they leave, running.

As Docker does it: the RUN lines are carried out in a root of their own, in the order of the file; then the last stage
is started with its root read-only, as its user, without any privilege, in a network with nothing but itself. Needs
root and debootstrap, and no Docker. Exit code 1 when something does not hold; the report is deploy/image.md.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from dockerfile import Copy, Ignored, Run, Stage, stages
from image_run import Seen, run_image
from steps import ROOT, stop

DOCKERFILE = ROOT / "deploy/Dockerfile"
REPORT = ROOT / "deploy/image.md"
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
# What this machine believes of the registries, for a machine behind a proxy with an authority of its own.
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
IN_THERE = "/run/authorities.crt"
BELIEVED = dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"), IN_THERE)
LEFT_OUT = ("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man")
KEPT_BY_APT = """Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true"; };
"""
STEP_SECONDS = 900
MOST_BYTES, MOST_SECONDS = 500_000_000, 30
# $1 the root, $2 the authorities, then what is run in the root.
ENTER = """set -e; mount -t proc proc "$1/proc"; mount -t tmpfs tmpfs "$1/run"
[ ! -e "$2" ] || cp "$2" "$1/run/authorities.crt"; root=$1; shift 2; exec chroot "$root" "$@" """
ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child")


@dataclass
class Figures:
    """Bytes as `du` counts apparent sizes; seconds of each stage."""

    debian: str = ""
    base_bytes: int = 0
    image_bytes: int = 0
    parts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def debian(root: Path, suite: str) -> None:
    """With what makes debian:*-slim of it, and with apt set up as that image has it."""
    _carry_out(f"Debian {suite}", ["debootstrap", "--variant=minbase", suite, str(root), MIRROR])
    for name in LEFT_OUT:
        shutil.rmtree(root / name)
        (root / name).mkdir()
    (root / "etc/dpkg/dpkg.cfg.d/docker").write_text("".join(f"path-exclude /{name}/*\n" for name in LEFT_OUT))
    (root / "etc/apt/apt.conf.d/docker-clean").write_text(KEPT_BY_APT)
    for folder in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(root / folder)
        (root / folder / "partial").mkdir(parents=True)


def _carry_out(what: str, command: list[str]) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=STEP_SECONDS, check=False
    )
    if done.returncode:
        stop(f"{what}: failed\n{done.stdout[-4000:]}{done.stderr[-4000:]}", "The step above says why.")


def run_in(root: Path, step: Run) -> None:
    env = {**step.env, **(BELIEVED if AUTHORITIES.exists() else {}), "HOME": "/root"}
    _made(root / step.workdir.lstrip("/"))
    settings = [f"{name}={value}" for name, value in env.items()]
    inside = ["env", "-i", f"--chdir={step.workdir}", *settings, *step.shell, step.command]
    _carry_out(step.command, [*ALONE, "sh", "-c", ENTER, "sh", str(root), str(AUTHORITIES), *inside])


def copy(step: Copy, root: Path, roots: Mapping[str, Path], ignored: Ignored) -> None:
    """A folder's contents go to the target, a file into it, as COPY does."""
    target = root / step.target.lstrip("/")
    for source in step.sources:
        if step.origin:
            _carry_out(f"COPY {source}", ["cp", "-a", f"{roots[step.origin]}{source}/.", str(_made(target))])
            continue
        is_folder = (ROOT / source).is_dir()
        for path in ignored.kept(ROOT, source):
            place = target / Path(path).relative_to(source) if is_folder else target / Path(path).name
            _made(place.parent)
            shutil.copy2(ROOT / path, place)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def build(home: Path, plan: Mapping[str, Stage], figures: Figures) -> Path:
    """Every stage in a root of its own below `home`; returns the last one's."""
    ignored = Ignored((ROOT / ".dockerignore").read_text())
    roots: dict[str, Path] = {}
    for stage in plan.values():
        began = time.monotonic()
        root = home / stage.name
        if stage.base not in roots:
            roots[stage.base] = home / "base"
            debian(home / "base", "bookworm")
            figures.debian = (home / "base/etc/debian_version").read_text().strip()
            figures.base_bytes = size(home / "base")
        _carry_out(f"FROM {stage.base}", ["cp", "-a", str(roots[stage.base]), str(root)])
        roots[stage.name] = root
        for step in stage.steps:
            if isinstance(step, Copy):
                copy(step, root, roots, ignored)
            else:
                run_in(root, step)
        figures.seconds[stage.name] = time.monotonic() - began
        print(f"  {stage.name:<8} {figures.seconds[stage.name]:6.1f} s  {size(root) / 1e6:6.0f} MB", flush=True)
    return roots[list(plan)[-1]]


def size(folder: Path) -> int:
    """Of all regular files, each inode once, as a layer holds them."""
    seen: dict[tuple[int, int], int] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            found = Path(place, name).lstat()
            seen[found.st_dev, found.st_ino] = found.st_size
    return sum(seen.values())


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder that is gone afterwards, with what was mounted there: that ends with its own process."""
    home = Path(tempfile.mkdtemp(prefix="kefu-image-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def wheel_root(home: Path, tools: Path) -> Path:
    """What `pip install kefu` leaves in a fresh environment, of the wheel that is made of the sdist."""
    root, dist = home / "pip", home / "dist"
    _carry_out("FROM tools", ["cp", "-a", str(tools), str(root)])
    _carry_out("uv build", ["uv", "build", "--quiet", "--out-dir", str(dist), str(ROOT)])
    (wheel,) = dist.glob("*.whl")
    shutil.copy2(wheel, root / "root" / wheel.name)
    install = f"python3 -m venv /opt/kefu && /opt/kefu/bin/pip install --no-cache-dir /root/{wheel.name} && mkdir /data"
    run_in(root, Run(install, ("/bin/sh", "-c"), {"PATH": "/usr/bin:/bin"}, "/"))
    return root


def report(figures: Figures, image: Seen, wheel: Seen) -> list[str]:
    """Writes it; returns what does not hold."""
    rows = [
        ("size: every file of the image, its Debian among them", f"{figures.image_bytes / 1e6:.0f} MB", "< 500 MB"),
        ("start, to the first request that is taken", f"{image.start_seconds:.1f} s", "< 30 s"),
        ("first start, with the demo shop loaded", f"{image.first_start_seconds:.1f} s", "< 30 s"),
        ("runs as", f"user {image.uid}, capabilities {image.capabilities}", "not 0, none"),
        ("writes outside /data and /tmp", image.refused, "refused"),
        ("HEALTHCHECK", f"exit code {image.health}", "0"),
        ("SIGTERM", f"exit code {image.exit_code} after {image.stop_seconds:.1f} s", "0"),
        ("the conversation as a PDF file", image.pdf, "%PDF"),
        ("compiled modules that load", image.modules, "all"),
        ("memory after the question", f"{image.memory / 1e6:.0f} MB", ""),
    ]
    holds = {
        "base": f"debian:{figures.debian}-slim" in DOCKERFILE.read_text(),
        "size": figures.image_bytes < MOST_BYTES,
        "start": max(image.start_seconds, image.first_start_seconds, wheel.start_seconds) < MOST_SECONDS,
        "user": image.uid != 0 and int(image.capabilities, 16) == 0 and image.no_new_privileges,
        "read-only root": image.refused == "Read-only file system",
        "PDF": image.pdf.startswith("%PDF"),
        "modules": len(set(image.modules.split(" of "))) == 1,
        "health": image.health == 0 and image.exit_code == 0,
        "answer": all("km" in one.answer and one.sources for one in (image, wheel)),
    }
    parts = "\n".join(f"| {name} | {count / 1e6:.0f} MB |" for name, count in figures.parts.items())
    table = "\n".join(f"| {what} | {measured} | {bound} |" for what, measured, bound in rows)
    quote = "\n".join(f"> {line}".rstrip() for line in image.answer.splitlines())
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in figures.seconds.items())
    told = {"parts": parts, "table": table, "took": took, "quote": quote}
    REPORT.write_text(PAGE.format(figures=figures, image=image, wheel=wheel, **told))
    return [what for what, is_so in holds.items() if not is_so]


PAGE = """# The image, measured

`make image-check` takes the steps of `deploy/Dockerfile` one by one, each stage in a root of its own that begins with
Debian {figures.debian} (`debootstrap --variant=minbase`, less documents and translations, as `debian:*-slim` is). Then
it starts the last stage by its ENTRYPOINT and CMD, as its user, with its root read-only, without any privilege, in a
network in which there is only itself. Docker itself was not run.

| what | measured | bound |
|---|---|---|
{table}

Of that size:

| part | |
|---|---|
{parts}

What is downloaded is compressed. The stages took: {took}.

Asked *How far can I ride in winter?* it answered, from *{image.sources[0]}*:

{quote}

The wheel, made of the sdist and installed by `pip` into a fresh environment, started in {wheel.start_seconds:.1f} s
({wheel.first_start_seconds:.1f} s the first time), answered the same question, and served its pages:
{wheel.pages}.
"""


def main() -> None:
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        stop("this needs root and debootstrap", "apt-get install debootstrap, and be root")
    plan, figures = stages(DOCKERFILE.read_text()), Figures()
    with workplace() as home:
        image = build(home, plan, figures)
        figures.image_bytes = size(image)
        figures.parts = {
            "the service and its packages (`/opt/kefu`)": size(image / "opt/kefu"),
            "Debian as debootstrap leaves it": figures.base_bytes,
        }
        rest = figures.image_bytes - sum(figures.parts.values())
        figures.parts["Python, tini, certificates, a font with Chinese"] = rest
        final = plan[list(plan)[-1]]
        seen = run_image(image, final)
        by_pip = run_image(wheel_root(home, home / "tools"), replace(final, entrypoint=["kefu"]))
        wrong = report(figures, seen, by_pip)
    if wrong:
        stop(f"does not hold: {', '.join(wrong)}", f"See {REPORT.relative_to(ROOT)}.")
    print(f"  written: {REPORT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
