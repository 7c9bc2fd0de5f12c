"""The tables of the register, as its migrations make them. Names only; nothing is read or written here."""

import sqlalchemy as sa

_tables = sa.MetaData()
cameras = sa.Table(
    "cameras",
    _tables,
    sa.Column("device_id", sa.LargeBinary, primary_key=True),
    sa.Column("point", sa.LargeBinary),
    sa.Column("certificate", sa.LargeBinary),
    sa.Column("keylist", sa.Integer),
    sa.Column("state", sa.Text),
    sa.Column("since", sa.Integer),
    sa.Column("trial", sa.Integer),
    sa.Column("trial_h_core", sa.LargeBinary),
)
issues = sa.Table(
    "issues",
    _tables,
    sa.Column("issue", sa.LargeBinary, primary_key=True),
    sa.Column("device_id", sa.LargeBinary),
    sa.Column("officer", sa.Text),
    sa.Column("kind", sa.Integer),
    sa.Column("since", sa.Integer),
    sa.Column("until", sa.Integer),
    sa.Column("told", sa.Integer),
    sa.Column("ended", sa.Integer),
    sa.Column("how", sa.Text),
)
docks = sa.Table(
    "docks",
    _tables,
    sa.Column("dock_id", sa.Text, primary_key=True),
    sa.Column("key_ids", sa.LargeBinary),
    sa.Column("state", sa.Text),
    sa.Column("since", sa.Integer),
)
inventories = sa.Table(
    "inventories",
    _tables,
    sa.Column("device_id", sa.LargeBinary, primary_key=True),
    sa.Column("raw", sa.LargeBinary),
    sa.Column("at", sa.Integer),
)
voids = sa.Table(
    "voids",
    _tables,
    sa.Column("device_id", sa.LargeBinary, primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True),
)
