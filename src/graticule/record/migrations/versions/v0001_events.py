"""The table of label events.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from graticule.errors import LabelStoreError

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; the guards follow in env.py."""
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "label_events",
        sa.Column("seq", whole, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("format", whole, nullable=False),
        sa.Column("time", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("image_sha256", sa.Text()),
        sa.Column("path", sa.Text()),
        sa.Column("old_value", sa.Text()),
        sa.Column("new_value", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("refers_to", whole),
        sa.Column("model_hash", sa.Text()),
        sa.Column("run_hash", sa.Text()),
        sa.Column("seconds", sa.Double()),
        sa.Column("blind", whole, nullable=False),
        sa.Column("bulk", whole, nullable=False),
        sa.Column("slot", whole),
        sa.Column("sampling_prob", sa.Double()),
        sa.Column("queue_reason", sa.Text()),
        sa.Column("client_id", sa.Text(), nullable=False, unique=True),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Refused: the record would be lost."""
    raise LabelStoreError("the table of label events is never dropped: the record would be lost")
