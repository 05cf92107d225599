"""Run by Alembic. The connection comes from the caller, who began the transaction and will commit it."""

from alembic import context

from storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
