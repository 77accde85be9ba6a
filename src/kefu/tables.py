"""Every table, imported once, so that migrations and tests see them all."""

from kefu.jobs import models as jobs
from kefu.kit.db import Table
from kefu.log import models as log

__all__ = ["Table", "jobs", "log"]
