"""What crosses HTTP about tags."""

from typing import Annotated, Literal, get_args

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from kefu.collaboration.models import Tag
from kefu.collaboration.presets import GROUPS, PRESETS, Group
from kefu.collaboration.rules import NumberField, Operator, TextField
from kefu.kit.i18n import Locale
from kefu.kit.web import REASONS, Done
from kefu.log.log import ActorKind
from kefu.sessions.summaries import Summary

REASONS["blank"] = {"en": "must not be blank", "zh": "不能为空白"}
REASONS["too_long"] = {"en": "has too many entries (at most {max_length})", "zh": "条目过多（最多 {max_length} 项）"}
REASONS["too_short"] = {"en": "has too few entries (at least {min_length})", "zh": "条目过少（至少 {min_length} 项）"}
REASONS["rule_mismatch"] = {
    "en": "compares a text by contains or =, a number by =, > or <",
    "zh": "文本只能用 contains 或 =，数字只能用 =、> 或 <",
}

TAG_ID = r"^tag_[a-z0-9_]{1,36}$"
TagId = Annotated[str, StringConstraints(pattern=TAG_ID)]
TagIdInPath = Annotated[str, Path(pattern=TAG_ID)]


def _said(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "blank")
    return value.strip()


Called = Annotated[
    str, StringConstraints(min_length=1, max_length=20, pattern=r"^[^\x00-\x1f]*$"), AfterValidator(_said)
]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$", to_upper=True)]
Icon = Annotated[str, StringConstraints(max_length=8, pattern=r"^[^\x00-\x1f]*$")]
Description = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
RuleText = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*$"), AfterValidator(_said)]
RuleNumber = Annotated[float, Field(ge=0, le=1_000_000_000)]


class Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Rule(Body):
    """`text` is what the visitor wrote; waits and service are the last episode's, in seconds."""

    field: TextField | NumberField
    operator: Operator
    value: RuleText | RuleNumber

    @model_validator(mode="after")
    def _fits(self) -> "Rule":
        is_number = isinstance(self.value, float)
        is_of_number = self.field in get_args(NumberField)
        wrong = {"contains"} if is_of_number else {">", "<"}
        if is_number != is_of_number or self.operator in wrong:
            raise PydanticCustomError("rule_mismatch", "mismatch")
        return self


Rules = Annotated[list[Rule], Field(max_length=10)]


class NewTag(Body):
    name: Called
    color: Color = "#6B7280"
    icon: Icon = ""
    description: Description = ""
    group: Group = "custom"
    rules: Rules = []


class TagChange(Body):
    """What is left out stays."""

    name: Called = ""
    color: Color = ""
    icon: Icon = ""
    description: Description = ""
    group: Group = "custom"
    rules: Rules = []
    is_archived: bool = False


class TagOut(BaseModel):
    """`is_system`: Kefu came with it. An archived one is still shown where it is, and given no more."""

    id: str
    name: str
    color: str
    icon: str
    description: str
    group: Group
    rules: list[Rule]
    is_system: bool
    is_archived: bool


class GroupOut(BaseModel):
    id: Group
    name: str


class TagList(BaseModel):
    """`tags`: all, by group; `system_tags`: those that Kefu came with."""

    tags: list[TagOut]
    system_tags: list[TagOut]
    groups: list[GroupOut]


class TagListData(Done):
    data: TagList


class OneTag(BaseModel):
    tag: TagOut


class OneTagData(Done):
    data: OneTag


class AddTags(Body):
    """One or several."""

    tag_id: TagId | None = None
    tag_ids: Annotated[list[TagId], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _some(self) -> "AddTags":
        if not self.ids:
            raise PydanticCustomError("missing", "missing")
        return self

    @property
    def ids(self) -> list[str]:
        return ([self.tag_id] if self.tag_id else []) + self.tag_ids


class SessionTags(BaseModel):
    """The ids of what the session carries now."""

    session_name: str
    tags: list[str]


class SessionTagsData(Done):
    data: SessionTags


class Adder(BaseModel):
    kind: ActorKind
    id: str | None = None
    name: str | None = None


class Carried(BaseModel):
    tag_id: str
    added_by: Adder
    added_at: str
    is_auto: bool


class CarriedTags(BaseModel):
    session_name: str
    tags: list[Carried]


class CarriedTagsData(Done):
    data: CarriedTags


class ByTagQuery(BaseModel):
    cursor: Annotated[str, StringConstraints(max_length=400)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class ByTag(BaseModel):
    sessions: list[Summary]
    next_cursor: str | None
    has_more: bool
    limit: int


class ByTagData(Done):
    success: Literal[True] = True
    data: ByTag


def tag_out(tag: Tag, locale: Locale) -> TagOut:
    names = ("id", "color", "icon", "description", "group", "is_archived")
    rules = [Rule(**rule) for rule in tag.rules]
    fields = {name: getattr(tag, name) for name in names}
    return TagOut(**fields, name=tag.name[locale], rules=rules, is_system=tag.id in PRESETS)


def tag_list(tags: list[Tag], locale: Locale) -> TagList:
    shown = [tag_out(tag, locale) for tag in tags]
    groups = [GroupOut(id=group, name=name[locale]) for group, name in GROUPS.items()]
    return TagList(tags=shown, system_tags=[tag for tag in shown if tag.is_system], groups=groups)
