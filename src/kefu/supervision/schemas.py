"""What crosses HTTP about policies."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from kefu.kit.clock import iso
from kefu.kit.web import REASONS, Done
from kefu.sessions.models import Severity
from kefu.supervision.models import Backtest, PolicyDraft, PolicyVersion, State
from kefu.supervision.policies import MOST, Kind, Names, Policy
from kefu.supervision.replay import blank_found
from kefu.supervision.rules import Ruling
from kefu.supervision.versions import restored

REASONS["bad_pattern"] = {
    "en": "is no regular expression that can be used: at character {position}, {what}",
    "zh": "正则表达式不可用：第 {position} 个字符处，{what}",
}
REASONS["tag_mismatch"] = {"en": "names the tag to give when it gives one", "zh": "选择“打标签”时必须指定标签"}
REASONS["twice"] = {"en": "has an entry twice: {what}", "zh": "重复：{what}"}
REASONS["no_period"] = {"en": "ends before it begins", "zh": "结束时间早于开始时间"}
REASONS["union_tag_invalid"] = {"en": "is of no known kind", "zh": "类型未知"}
REASONS["greater_than"] = {"en": "must be more than {gt}", "zh": "必须大于 {gt}"}
LONGEST_TEXT = 5000
NUMBER = 2**31 - 1
LATEST = 2**53

Number = Annotated[int, Field(ge=0, le=NUMBER)]
Note = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
BacktestId = Annotated[str, StringConstraints(pattern=r"^bt_[0-9a-f]{20}$")]


class Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


def _each_once(policies: list[Policy]) -> list[Policy]:
    known = set[str]()
    for one in policies:
        if one.id in known:
            raise PydanticCustomError("twice", "twice", {"what": one.id})
        known.add(one.id)
    return policies


Policies = Annotated[list[Policy], Field(max_length=MOST), AfterValidator(_each_once)]


class PutPolicies(Body):
    """All policies as they are to be. `revision`: of what the writer saw."""

    policies: Policies
    revision: Number


class Publish(Body):
    revision: Number
    note: Note = ""


class Try(Body):
    """A message as a visitor might write it. `policies` null: those of the draft."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")]
    is_vip: bool = False
    shop: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")] | None = None
    policies: Policies | None = None


class StartBacktest(Body):
    """`version` null: the draft. `baseline` null: what is in force. Times are Unix milliseconds, `until` not included.

    `within_minutes`: so soon after a hit a person has to have come for it to be right.
    """

    version: Number | None = None
    baseline: Number | None = None
    shop: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")] | None = None
    since: Annotated[int, Field(ge=0, le=LATEST)]
    until: Annotated[int, Field(ge=0, le=LATEST)]
    within_minutes: Annotated[int, Field(ge=1, le=10_080)] = 30

    @model_validator(mode="after")
    def _is_a_period(self) -> "StartBacktest":
        if self.until <= self.since:
            raise PydanticCustomError("no_period", "no period")
        return self


class VersionRef(BaseModel):
    """`version` 0 is what Kefu came with. `until` is null for what is in force."""

    version: int
    note: str
    published_at: str
    published_by: str
    until: str | None


class PolicyVersionOut(BaseModel):
    version: int
    note: str
    published_at: str
    published_by: str
    policies: list[Policy]


class VersionData(Done):
    data: PolicyVersionOut


class VersionListData(Done):
    data: list[VersionRef]


class PolicyDraftOut(BaseModel):
    """What is being written. `in_force`: the version that watches now; `is_changed`: they differ."""

    revision: int
    based_on: int
    in_force: int
    is_changed: bool
    changed_at: str
    changed_by: str
    policies: list[Policy]


class PolicyDraftData(Done):
    data: PolicyDraftOut


class Difference(BaseModel):
    """`fields`: what it was and what it is, by field."""

    id: str
    name: Names
    change: Literal["added", "removed", "changed"]
    fields: dict[str, list[Any]]


class DifferenceData(Done):
    data: list[Difference]


class Hit(BaseModel):
    """`why`: what was found; its `spans` are places in the text, from 0, in Unicode characters."""

    policy: str
    name: Names
    kind: Kind
    severity: Severity
    does: str
    dry_run: bool
    effect: str
    why: dict[str, Any]


class HitsData(Done):
    """In the order of precedence; after one that asks for a person no further one is looked at."""

    data: list[Hit]


class BacktestExample(BaseModel):
    """`seq`: the message, or the event with which a person came. `policy` is null for what was missed."""

    session: str
    seq: int
    policy: str | None
    at: int


class Examples(BaseModel):
    caught: list[BacktestExample]
    missed: list[BacktestExample]
    false_alarms: list[BacktestExample]


class Day(BaseModel):
    fired: int
    caught: int
    missed: int
    false_alarms: int


class OfPolicy(BaseModel):
    fired: int
    caught: int
    false_alarms: int


class Counts(BaseModel):
    """`sessions` with a hit. `fired` hits ask for a person; one came after those that `caught`, none after the rest.

    `missed`: people came without a hit before. `noted`: hits that only tag or tell. `unreadable` ones were left out.
    """

    sessions: int
    fired: int
    noted: int
    caught: int
    missed: int
    false_alarms: int
    unreadable: int
    policies: dict[str, OfPolicy]
    days: dict[str, Day]
    examples: Examples


class Only(BaseModel):
    """Hits of one version that the other has not."""

    count: int
    examples: list[BacktestExample]


class BacktestRef(BaseModel):
    """`version` null: the draft as it was."""

    id: str
    state: State
    version: int | None
    baseline: int
    shop: str | None
    since: int
    until: int
    within_minutes: int
    total: int
    looked_at: int
    started_at: str
    started_by: str
    ended_at: str | None


class BacktestOut(BacktestRef):
    names: dict[str, Names]
    candidate: Counts
    compared: Counts
    only_candidate: Only
    only_baseline: Only


class BacktestData(Done):
    data: BacktestOut


class BacktestListData(Done):
    data: list[BacktestRef]


def version_refs(rows: Sequence[PolicyVersion]) -> list[VersionRef]:
    """`rows`: the newest first."""
    ends = [None, *(row.published_at for row in rows)]
    return [
        VersionRef(
            version=row.number,
            note=row.note,
            published_at=iso(row.published_at),
            published_by=row.publisher_name,
            until=None if end is None else iso(end),
        )
        for row, end in zip(rows, ends, strict=False)
    ]


def version_out(row: PolicyVersion) -> PolicyVersionOut:
    return PolicyVersionOut(
        version=row.number,
        note=row.note,
        published_at=iso(row.published_at),
        published_by=row.publisher_name,
        policies=[*restored(row.policies)],
    )


def draft_out(row: PolicyDraft, in_force: PolicyVersion) -> PolicyDraftOut:
    return PolicyDraftOut(
        revision=row.revision,
        based_on=row.based_on,
        in_force=in_force.number,
        is_changed=row.policies != in_force.policies,
        changed_at=iso(row.changed_at),
        changed_by=row.changed_by,
        policies=[*restored(row.policies)],
    )


def hit_out(ruling: Ruling) -> Hit:
    facts = ruling.facts
    return Hit(**{name: facts[name] for name in Hit.model_fields})


def backtest_ref(row: Backtest) -> BacktestRef:
    return BacktestRef(**_fields(row))


def backtest_out(row: Backtest) -> BacktestOut:
    """`names`: of the policies of both, as the candidate has them."""
    both = [*row.baseline["policies"], *row.candidate["policies"]]
    return BacktestOut(
        **_fields(row),
        names={one["id"]: Names(**one["name"]) for one in both},
        candidate=Counts(**blank_found() | row.found["candidate"]),
        compared=Counts(**blank_found() | row.found["baseline"]),
        only_candidate=Only(**row.found["only"]["candidate"]),
        only_baseline=Only(**row.found["only"]["baseline"]),
    )


def _fields(row: Backtest) -> dict[str, Any]:
    names = ("id", "state", "shop", "since", "until", "within_minutes", "total", "looked_at", "started_by")
    return {
        **{name: getattr(row, name) for name in names},
        "version": row.candidate["version"],
        "baseline": row.baseline["version"],
        "started_at": iso(row.started_at),
        "ended_at": None if row.ended_at is None else iso(row.ended_at),
    }
