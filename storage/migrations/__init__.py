"""Alembic migrations, numbered; schema_version.py runs them on a connection, without alembic.ini."""
