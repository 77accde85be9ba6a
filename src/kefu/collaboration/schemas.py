"""What crosses HTTP about notes, mentions and assists. Times are float Unix seconds, as in the older shapes."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from kefu.collaboration.assists import Assists, AssistStatus
from kefu.collaboration.models import Assist, Mention, Note
from kefu.kit.clock import unix_seconds
from kefu.kit.web import Done
from kefu.sessions.schemas import Body, ClientMessageId, Content, Name

Username = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=r"^[^\x00]+$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,40}$")]


class WriteNote(Body):
    """`mentions`: usernames; whom the text names with `@username` needs no place in it."""

    content: Content
    mentions: Annotated[list[Username], Field(default_factory=list, max_length=20)]
    client_msg_id: ClientMessageId | None = None


class NoteOut(BaseModel):
    """`created_by` and `mentions` are usernames."""

    id: str
    session_name: str
    content: str
    created_by: str
    created_by_id: str
    created_by_name: str
    created_at: float
    updated_at: float
    mentions: list[str]

    @classmethod
    def of(cls, note: Note) -> "NoteOut":
        return cls(
            id=note.id,
            session_name=note.session,
            content=note.content,
            created_by=note.author_username,
            created_by_id=note.author_id,
            created_by_name=note.author_name,
            created_at=note.created_at / 1000,
            updated_at=note.updated_at / 1000,
            mentions=[one["username"] for one in note.mentions],
        )


class NoteData(Done):
    data: NoteOut


class NotesData(Done):
    data: list[NoteOut]
    total: int = Field(description="All of them; `data` has the newest 100")


class NoteHistoryData(Done):
    data: list[dict[str, Any]] = Field(description="What happened to the note, as events, oldest first")


class MentionOut(BaseModel):
    note_id: str
    session_name: str
    content: str
    created_by: str
    created_by_name: str
    at: float
    read: bool

    @classmethod
    def of(cls, mention: Mention, note: Note) -> "MentionOut":
        return cls(
            note_id=note.id,
            session_name=note.session,
            content=note.content,
            created_by=note.author_username,
            created_by_name=note.author_name,
            at=mention.at / 1000,
            read=mention.read_at is not None,
        )


class MentionList(BaseModel):
    mentions: list[MentionOut]
    unread: int
    next_cursor: str | None


class MentionsData(Done):
    data: MentionList


class MentionQuery(BaseModel):
    unread: bool = False
    cursor: Annotated[str, StringConstraints(max_length=400)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class ReadMentions(Body):
    """Without `note_ids`: all."""

    note_ids: Annotated[list[Id], Field(max_length=100)] | None = None


class Unread(BaseModel):
    unread: int


class UnreadData(Done):
    data: Unread


class AskAssist(Body):
    session_name: Name
    assistant: Username
    question: Content
    client_msg_id: ClientMessageId | None = None


class AnswerAssist(Body):
    answer: Content


class AssistOut(BaseModel):
    """`requester` and `assistant` are usernames."""

    id: str
    session_name: str
    requester: str
    requester_name: str
    assistant: str
    assistant_name: str
    question: str
    answer: str | None
    status: AssistStatus
    created_at: float
    answered_at: float | None

    @classmethod
    def of(cls, assist: Assist) -> "AssistOut":
        return cls(
            id=assist.id,
            session_name=assist.session,
            requester=assist.requester,
            requester_name=assist.requester_name,
            assistant=assist.assistant,
            assistant_name=assist.assistant_name,
            question=assist.question,
            answer=assist.answer,
            status="pending" if assist.answered_at is None else "answered",
            created_at=assist.created_at / 1000,
            answered_at=unix_seconds(assist.answered_at),
        )


class AssistData(Done):
    data: AssistOut


class AssistCount(BaseModel):
    received: int
    sent: int
    received_pending: int


class AssistLists(BaseModel):
    """The newest 100 of each."""

    received: list[AssistOut]
    sent: list[AssistOut]
    count: AssistCount

    @classmethod
    def of(cls, found: Assists) -> "AssistLists":
        return cls(
            received=[AssistOut.of(one) for one in found.received],
            sent=[AssistOut.of(one) for one in found.sent],
            count=AssistCount(
                received=found.received_count, sent=found.sent_count, received_pending=found.received_pending
            ),
        )


class AssistsData(Done):
    data: AssistLists


class AssistQuery(BaseModel):
    status: Literal["pending", "answered"] | None = None
