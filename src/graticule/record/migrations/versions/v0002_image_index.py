"""An index by image: what holds for one image is read before every new decision on it.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("label_events_image", "label_events", ["image_sha256", "seq"])


def downgrade() -> None:
    """Drop the index; no event changes."""
    op.drop_index("label_events_image", "label_events")
