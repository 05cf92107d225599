"""Which schema a database has, and the way to the newest one."""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from core.errors import RecordError


def require_newest(connection: Connection, place: str) -> None:
    """Raises RecordError where no record of exactly this version is."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        raise RecordError(f"There is no record at {place}; name the one to copy.")
    if current != newest:
        raise RecordError(f"The record at {place} has schema {current}, not {newest}; start this program with it once.")


def migrate(connection: Connection, place: str) -> None:
    """Bring the database to the newest schema, inside the caller's transaction.

    Raises RecordError for a database of a newer version, and for one that holds something else.
    """
    config = _config()
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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    return config
