"""The table of files."""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table

IS_UNSENT = text("seq IS NULL")


class File(Table):
    """A file of a session, whose content lies in the store under its `sha256`.

    `owner`: `visitor`, or an agent's id. `name` is a label, never a path. `width` and `height`: of a picture as it is
    shown, in pixels. `seq`: of the message with which it was sent; until then only its owner knows it.
    """

    __tablename__ = "files"
    __table_args__ = (
        Index("ix_files_session_owner", "session", "owner"),
        Index("ix_files_sha256", "sha256"),
        Index("ix_files_unsent", "created_at", sqlite_where=IS_UNSENT, postgresql_where=IS_UNSENT),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    session: Mapped[str] = mapped_column(String(80), ForeignKey("sessions.name", ondelete="CASCADE"))
    owner: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int | None] = mapped_column(BigInteger)
