"""Every table, imported once, so that migrations and tests see them all."""

from kefu.accounts import models as accounts
from kefu.ai import books
from kefu.ai import models as ai
from kefu.answering import models as answering
from kefu.assisting import models as assisting
from kefu.backups import models as backups
from kefu.bus import models as bus
from kefu.collaboration import models as collaboration
from kefu.files import models as files
from kefu.jobs import models as jobs
from kefu.kit.db import Table
from kefu.knowledge import models as knowledge
from kefu.log import models as log
from kefu.quality import models as quality
from kefu.reports import models as reports
from kefu.sessions import models as sessions
from kefu.shops import models as shops
from kefu.supervision import models as supervision

__all__ = [
    "Table",
    "accounts",
    "ai",
    "answering",
    "assisting",
    "backups",
    "books",
    "bus",
    "collaboration",
    "files",
    "jobs",
    "knowledge",
    "log",
    "quality",
    "reports",
    "sessions",
    "shops",
    "supervision",
]
