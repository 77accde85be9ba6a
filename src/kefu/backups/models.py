"""What was last backed up, so that a monitor can ask any process."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table


class Backup(Table):
    """The last good one of its `part`: `database` (with the files), `wal` (what PostgreSQL wrote since).

    `at`: everything committed before is in it, ms. `seconds` it took, `bytes` it has, sealed.
    """

    __tablename__ = "backups"

    part: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    at: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
