"""What crosses HTTP of a shop's bot."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from kefu.ai.catalog import API_VERSION, Named
from kefu.ai.ports import Failing
from kefu.kit.web import Done

Id = Annotated[str, StringConstraints(max_length=200, pattern=r"^[\x21-\x7e]*$", strip_whitespace=True)]
Url = Annotated[str, StringConstraints(max_length=400, pattern=r"^(https?://[\x21-\x7e]+)?$", strip_whitespace=True)]
# One line of an HTTP header, or a private key (PEM).
Key = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=8000,
        pattern=r"^([\x21-\x7e]+|-----BEGIN [A-Z ]+-----[A-Za-z0-9+/=\r\n]+-----END [A-Z ]+-----)$",
        strip_whitespace=True,
    ),
]
Tokens = Annotated[int, Field(ge=0, le=10**12)]
Usd = Annotated[float, Field(ge=0, le=10**7, allow_inf_nan=False)]


class Budget(BaseModel):
    """null: no limit."""

    model_config = ConfigDict(extra="forbid")

    tokens: Tokens | None = None
    usd: Usd | None = None


class Budgets(BaseModel):
    """How much the bot may use: with one visitor in a day, in one session, in the whole shop in a day and a month."""

    model_config = ConfigDict(extra="forbid")

    visitor_day: Budget = Budget()
    session: Budget = Budget()
    shop_day: Budget = Budget()
    shop_month: Budget = Budget()


class Coze(BaseModel):
    model_config = ConfigDict(extra="forbid")

    app_id: Id = ""
    workflow_id: Id = ""
    client_id: Id = ""
    public_key_id: Id = ""


class BotFields(BaseModel):
    """`provider` null: that of the installation. `persona` and `prompt`: who the bot is, and what it is to heed.

    `embedding_model`: for openai, azure (a deployment) and custom; empty: the search goes by words alone.
    """

    provider: Named | None = None
    url: Url = ""
    model: Id = ""
    cheaper_model: Id = ""
    embedding_model: Id = ""
    deployment: Id = ""
    api_version: Annotated[str, StringConstraints(pattern=r"^[0-9a-z-]{0,40}$")] = API_VERSION
    coze: Coze = Coze()
    persona: Annotated[str, StringConstraints(max_length=80, strip_whitespace=True)] = ""
    prompt: Annotated[str, StringConstraints(max_length=8000, strip_whitespace=True)] = ""
    mask_pii: bool = True
    budgets: Budgets = Budgets()


class BotChoice(BotFields):
    """`key` null: the one that is there stays, while provider and address do. `version`: of what the writer saw."""

    model_config = ConfigDict(extra="ignore")

    key: Key | None = None
    version: Annotated[int, Field(ge=0, le=2**31 - 1)]


class VectorsOut(BaseModel):
    """How many of the shop's passages have a vector of `model`. `reason`: why no more came, where something failed."""

    model_config = ConfigDict(from_attributes=True)

    model: str
    done: int
    total: int
    reason: str


class BotOut(BotFields):
    """`default_provider`: of the installation. `updated_by`: an agent's id, null while nobody has chosen anything."""

    shop: str
    has_key: bool
    default_provider: Named
    version: int
    updated_at: str | None
    updated_by: str | None
    vectors: VectorsOut | None = None


class BotData(Done):
    data: BotOut


class EmbeddingTrialOut(BaseModel):
    """What came of one text for `model`. `message`: how it went, in words; `said`: in the provider's own."""

    ok: bool
    model: str
    dimension: int | None = None
    total_ms: int
    reason: Failing | None = None
    message: str
    said: str = ""


class TrialOut(BaseModel):
    """What a tiny question to the provider gave.

    `first_ms`: until the first piece of the answer. `message`: how it went, in words; `said`: in the provider's own.
    """

    ok: bool
    provider: Named
    model: str
    first_ms: int | None = None
    total_ms: int
    reason: Failing | None = None
    message: str
    said: str = ""
    embedding: EmbeddingTrialOut | None = None


class TrialData(Done):
    data: TrialOut
