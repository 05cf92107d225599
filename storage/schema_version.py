"""Which schema a database has, and the way to the newest one."""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from core.errors import RecordError


def migrate(connection: Connection, place: str) -> None:
    """Bring the database to the newest schema, inside the caller's transaction.

    Raises RecordError for a database of a newer version, and for one that holds something else.
    """
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None and inspect(connection).get_table_names():
        raise RecordError(f"The database at {place} belongs to another program; choose another file for the record.")
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise RecordError(
            f"The record at {place} was written by a newer version of this program (schema {current});"
            " update the program, or choose another file."
        )
    if current != scripts.get_current_head():
        command.upgrade(config, "head")
