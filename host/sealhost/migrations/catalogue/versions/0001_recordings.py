"""What is in the vault, and what the cameras' logs say; all of it can be built again."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
_NUMBERS = (
    "sequence kind start_utc_ms duration_ms confirmed ended signed_to last_index size copies slot_copies "
    "stored_at keylist clock_source pictures dropped muted_ms"
).split()
_BYTES = ("device_id", "recording_id", "last_tag", "body_sha256")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "recordings",
        sa.Column("h_core", sa.LargeBinary, primary_key=True),
        *[sa.Column(name, sa.Integer, nullable=False) for name in _NUMBERS],
        *[sa.Column(name, sa.LargeBinary, nullable=False) for name in _BYTES],
        *[sa.Column(name, sa.Text, nullable=False) for name in ("verdict", "marks", "reason")],
        *[sa.Column(name, sa.Text) for name in ("place", "description", "interpreter")],
    )
    op.create_index("recordings_by_device", "recordings", ["device_id", "sequence"])
    op.create_index("recordings_by_start", "recordings", ["start_utc_ms"])
    op.create_table(
        "log_entries",
        sa.Column("device_id", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *[sa.Column(name, sa.Integer, nullable=False) for name in ("event", "detail", "sequence", "utc_ms")],
        sa.Column("raw", sa.LargeBinary, nullable=False),
    )
