"""Draw docs/states.svg from the table of moves in kefu/sessions/states.py.

python scripts/draw_states.py
"""

from dataclasses import dataclass
from pathlib import Path

from kefu.sessions.states import MOVES, RAISES_EPOCH, Move, Status

PICTURE = Path(__file__).parent.parent / "docs/states.svg"
WIDTH, HEIGHT = 1180, 660
BOX_WIDTH, BOX_HEIGHT = 184, 64

BOXES: dict[Status, tuple[int, int, str]] = {
    Status.BOT_ACTIVE: (140, 330, "机器人服务"),
    Status.PENDING_MANUAL: (540, 140, "等待人工"),
    Status.MANUAL_LIVE: (940, 330, "人工服务中"),
    Status.AFTER_HOURS_EMAIL: (540, 520, "下班留言"),
    Status.CLOSED: (540, 330, "已关闭"),
}
MOVE_NAMES: dict[Move, tuple[str, str]] = {
    Move.ESCALATE: ("转人工", "escalated"),
    Move.TAKE_OVER: ("接入", "taken over"),
    Move.TRANSFER: ("转接", "transferred"),
    Move.LOSE_AGENT: ("坐席离线", "agent lost"),
    Move.RELEASE: ("释放", "released"),
    Move.RETURN: ("退回机器人", "returned"),
    Move.DEFER: ("转留言", "deferred"),
    Move.CLOSE: ("关闭", "closed"),
    Move.REOPEN: ("访客再次发言", "reopened"),
}


@dataclass(frozen=True)
class Arrow:
    """`path`: SVG path data; `x`, `y`: the label's first line, and how it is anchored there."""

    path: str
    x: int
    y: int
    anchor: str = "middle"


ARROWS: dict[tuple[Status, Move], Arrow] = {
    (Status.BOT_ACTIVE, Move.ESCALATE): Arrow("M118 298C118 205 270 126 446 126", 196, 176),
    (Status.PENDING_MANUAL, Move.RETURN): Arrow("M448 154C330 154 178 215 178 296", 244, 212),
    (Status.PENDING_MANUAL, Move.TAKE_OVER): Arrow("M632 126C810 126 962 205 962 296", 886, 176),
    (Status.MANUAL_LIVE, Move.LOSE_AGENT): Arrow("M902 298C902 215 750 154 634 154", 836, 212),
    (Status.BOT_ACTIVE, Move.DEFER): Arrow("M118 362C118 455 270 534 446 534", 196, 480),
    (Status.AFTER_HOURS_EMAIL, Move.RETURN): Arrow("M448 506C330 506 178 445 178 364", 244, 444),
    (Status.AFTER_HOURS_EMAIL, Move.TAKE_OVER): Arrow("M632 520C800 520 940 450 940 364", 864, 466),
    (Status.BOT_ACTIVE, Move.TAKE_OVER): Arrow("M72 298C72 -28 1008 -28 1008 296", 540, 50),
    (Status.MANUAL_LIVE, Move.RELEASE): Arrow("M1008 362C1008 688 72 688 72 364", 540, 602),
    (Status.BOT_ACTIVE, Move.CLOSE): Arrow("M232 316H446", 340, 292),
    (Status.CLOSED, Move.REOPEN): Arrow("M448 344H234", 340, 364),
    (Status.PENDING_MANUAL, Move.CLOSE): Arrow("M520 172V296", 520, 222),
    (Status.AFTER_HOURS_EMAIL, Move.CLOSE): Arrow("M520 488V364", 520, 424),
    (Status.MANUAL_LIVE, Move.CLOSE): Arrow("M848 330H634", 760, 304),
    (Status.PENDING_MANUAL, Move.DEFER): Arrow("M590 172C690 250 690 410 592 486", 658, 388),
    (Status.MANUAL_LIVE, Move.TRANSFER): Arrow("M1032 314C1086 296 1086 364 1034 346", 1082, 324, "start"),
}

STYLE = """
svg{--panel:#f7f9fa;--box:#fff;--line:#7d8b97;--text:#22303b;--quiet:#566570;--accent:#0f8f86}
@media (prefers-color-scheme:dark){
svg{--panel:#161c21;--box:#212a31;--line:#8796a2;--text:#e8eef2;--quiet:#a5b3bd;--accent:#4ecdc4}}
text{font:15px system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;fill:var(--text)}
.panel{fill:var(--panel)}.box{fill:var(--box);stroke:var(--line)}.name{font-size:17px;font-weight:600;text-anchor:middle}
.code{font:13px ui-monospace,monospace;fill:var(--quiet);text-anchor:middle}
.move{font-size:13px;fill:var(--quiet);paint-order:stroke;stroke:var(--panel);stroke-width:6px}
.arrow{fill:none;stroke:var(--line);stroke-width:1.6;marker-end:url(#head)}.fence{stroke:var(--accent);marker-end:url(#fence)}
.line{fill:var(--line)}.accent{fill:var(--accent)}.first{stroke:var(--accent);stroke-width:2.5}
""".strip()
HEAD = (
    '<marker id="{id}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="{fill}" d="M0 0L10 5L0 10z"/></marker>'
)


def drawing() -> str:
    """The picture as SVG. Raises SystemExit when the table has a state or a move that nobody has placed yet."""
    unplaced = (set(MOVES) ^ set(ARROWS)) | (set(Status) ^ set(BOXES)) | (set(Move) ^ set(MOVE_NAMES))
    if unplaced:
        raise SystemExit(f"Place in scripts/draw_states.py, or remove from it: {unplaced}")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title">',
        '<title id="title">会话状态与流转 · The states of a session and the moves between them</title>',
        f"<style>{STYLE}</style>",
        f"<defs>{HEAD.format(id='head', fill='line')}{HEAD.format(id='fence', fill='accent')}</defs>",
        f'<rect class="panel" width="{WIDTH}" height="{HEIGHT}" rx="16"/>',
        *(_line(what, arrow) for (_, what), arrow in ARROWS.items()),
        *(_label(what, arrow) for (_, what), arrow in ARROWS.items()),
        *(_box(status, *box) for status, box in BOXES.items()),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _line(what: Move, arrow: Arrow) -> str:
    kind = "arrow fence" if what in RAISES_EPOCH else "arrow"
    return f'<path class="{kind}" d="{arrow.path}"/>'


def _label(what: Move, arrow: Arrow) -> str:
    zh, en = MOVE_NAMES[what]
    lines = f'<tspan x="{arrow.x}">{zh}</tspan><tspan x="{arrow.x}" dy="16">{en}</tspan>'
    return f'<text class="move" x="{arrow.x}" y="{arrow.y}" text-anchor="{arrow.anchor}">{lines}</text>'


def _box(status: Status, x: int, y: int, name: str) -> str:
    first = " first" if status == Status.BOT_ACTIVE else ""
    corner = f'x="{x - BOX_WIDTH // 2}" y="{y - BOX_HEIGHT // 2}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}"'
    return (
        f'<rect class="box{first}" {corner} rx="12"/>'
        f'<text class="name" x="{x}" y="{y - 3}">{name}</text><text class="code" x="{x}" y="{y + 18}">{status}</text>'
    )


def _legend() -> list[str]:
    y = HEIGHT - 24
    return [
        f'<path class="arrow fence" d="M32 {y - 4}H70"/>',
        f'<text class="move" x="80" y="{y}">使之前开始的回答作废 · makes every answer begun before it void</text>',
    ]


if __name__ == "__main__":
    PICTURE.write_text(drawing())
