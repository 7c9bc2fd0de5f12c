"""Numbers a camera spent on nothing, as its inventories told: no receipt ever names them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "voids",
        sa.Column("device_id", sa.LargeBinary, primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True),
    )
