"""One file per change of the schema; only what Alembic finds here counts."""
