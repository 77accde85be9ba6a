"""Runs migrations on the connection that `kefu.ops.migrate` opened."""

from alembic import context

from kefu.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    include_name=context.config.attributes.get("include_name"),
)
context.run_migrations()
