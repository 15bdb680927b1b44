"""Schema migrations, run by Alembic. Each ships as "add first, remove later"."""
