"""The wrapped slots, a row for each recording; rows never change."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and its guard; removal is a later order's business, change is nobody's."""
    op.create_table(
        "slots",
        sa.Column("h_core", sa.LargeBinary, primary_key=True),
        sa.Column("device_id", sa.LargeBinary, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("recording_id", sa.LargeBinary, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.create_index("slots_by_device", "slots", ["device_id", "sequence"])
    op.execute(
        "CREATE TRIGGER slots_no_update BEFORE UPDATE ON slots "
        "BEGIN SELECT RAISE(ABORT, 'slots are insert-only'); END"
    )
