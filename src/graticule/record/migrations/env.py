"""Alembic's entry: runs the revisions on the connection that `graticule.record.schema.upgrade` hands over."""

from alembic import context
from sqlalchemy import Connection

from graticule.record.schema import VERSION_TABLE, create_guards, label_events


def run(connection: Connection) -> None:
    """Run the revisions, then create the guards anew: a revision may have had to copy the table, which loses them."""
    context.configure(
        connection=connection,
        target_metadata=label_events.metadata,
        version_table=VERSION_TABLE,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    create_guards(connection)


run(context.config.attributes["connection"])
