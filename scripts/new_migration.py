"""Write a migration from what the models have and the migrations lack: `python scripts/new_migration.py "Why"`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from kefu.knowledge.search_ddl import is_ours

MIGRATIONS = Path(__file__).parent.parent / "src/kefu/migrations"


def main(message: str) -> None:
    with TemporaryDirectory() as folder, create_engine(f"sqlite:///{folder}/empty.db").connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        config.attributes["include_name"] = lambda name, *_: name is None or not is_ours(name)
        command.upgrade(config, "head")
        done = len(list((MIGRATIONS / "versions").glob("[0-9]*.py")))
        command.revision(config, message, autogenerate=True, rev_id=f"{done + 1:04d}")


if __name__ == "__main__":
    main(sys.argv[1])
