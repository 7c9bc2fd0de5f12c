"""Cameras: who is trusted, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "cameras",
        sa.Column("device_id", sa.LargeBinary, primary_key=True),
        sa.Column("point", sa.LargeBinary, nullable=False),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("keylist", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", sa.Integer, nullable=False),
        sa.Column("trial", sa.Integer, nullable=False, server_default="0"),
        sa.Column("trial_h_core", sa.LargeBinary),
    )
