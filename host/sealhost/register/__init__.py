"""Cameras, docks and issues: who and what is trusted, since when, and in whose hands.

What only stands in this database is believed by nobody: cameras and issues need their entry in custody.
docs/format/custody.md, design: enrolments are custody entries.
"""

from typing import Any

from sealhost.config import Config
from sealhost.errors import FileMissing
from sealhost.register.cameras import (
    CERTIFIED,
    DRILLED,
    ENROLLED,
    LOST,
    SUSPENDED,
    Cameras,
    utc_ms,
)
from sealhost.register.holdings import TRUSTED, WITHDRAWN, Holdings
from sealhost.register.issues import Issues

PERSONAL, POOL = 1, 2  # kinds of an issue; dock-protocol.md, *issue*


class Register(Cameras, Issues, Holdings):
    """The register of one vault."""


def open_register(config: Config, custody: Any) -> Register:
    """The register of a vault pack."""
    path = config.certificate("enrolment")
    try:
        enrolment, root = path.read_bytes(), config.certificate("root").read_bytes()
        before = [other.read_bytes() for other in sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"))]
    except OSError as trouble:
        raise FileMissing(trouble.filename, trouble.strerror) from None
    return Register(config.database("register"), enrolment, root, custody, enrolment_before=before)


__all__ = [
    "CERTIFIED",
    "DRILLED",
    "ENROLLED",
    "LOST",
    "PERSONAL",
    "POOL",
    "SUSPENDED",
    "TRUSTED",
    "WITHDRAWN",
    "Register",
    "open_register",
    "utc_ms",
]
