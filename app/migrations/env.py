"""How Alembic finds our database: through the app that called `app.migrations`, which knows every table."""

from alembic import context

from app.db import Base, writing_engine

connectable = writing_engine() if "app" in context.config.attributes else None
if connectable is None:
    raise SystemExit("use `yinxu db upgrade`: this environment takes its database from the app")

with connectable.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_as_batch=False,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
