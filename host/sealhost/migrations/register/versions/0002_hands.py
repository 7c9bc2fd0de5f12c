"""Into whose hands a camera went, which docks are trusted, and each camera's newest journal."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "issues",
        sa.Column("issue", sa.LargeBinary, primary_key=True),
        sa.Column("device_id", sa.LargeBinary, nullable=False, index=True),
        sa.Column("officer", sa.Text, nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("since", sa.Integer, nullable=False),
        sa.Column("until", sa.Integer, nullable=False),
        sa.Column("told", sa.Integer, nullable=False, server_default="0"),
        sa.Column("ended", sa.Integer, nullable=False, server_default="0"),
        sa.Column("how", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "docks",
        sa.Column("dock_id", sa.Text, primary_key=True),
        sa.Column("key_ids", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", sa.Integer, nullable=False),
    )
    op.create_table(
        "inventories",
        sa.Column("device_id", sa.LargeBinary, primary_key=True),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.Integer, nullable=False),
    )
