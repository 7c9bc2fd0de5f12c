"""A copy the dock made while the vault was away, taken in when it is back.

What the vault already holds of it, because its card was docked since, is not stored again. It never wipes.
"""

from typing import Any

from sealhost.desk import Desk, Tell, tell_nobody
from sealhost.errors import Refused
from sealhost.ingest import Options, Taking, ingest

_SAFE_FATES = ("stored", "quarantined", "kept")  # kept: the vault holds more of it than the copy shows


def take_in(place: Any, desk: Desk, tell: Tell = tell_nobody) -> None:
    """See that the vault holds everything in it, or raise; only then may the copy go.

    A cut leaves the copy; taking it in again ends the same.
    """
    if all(
        _is_held(taking, desk) for taking in ingest([place], desk, None, Options(dry_run=True), tell).takings
    ):
        return
    docked = ingest([place], desk, None, Options(unconfirmed_stays=True), tell)
    left = [taking.files[0] for taking in docked.takings if taking.fate not in _SAFE_FATES]
    if left:
        raise Refused(f"{place.name} is not in the vault: {left[0]}")


def _is_held(taking: Taking, desk: Desk) -> bool:
    """Whether vault and key table hold at least as much of it, or quarantine holds its raw files."""
    judgement = taking.judgement
    if judgement.core is None:
        return False
    if not judgement.verdict.may_store:
        return any(case.h_core == judgement.core.h_core for case in desk.quarantine.cases())
    stored = desk.catalogue.get(judgement.core.h_core)
    if stored is None or stored.last_index < judgement.last_index:
        return False
    h_core = judgement.core.h_core
    copies = desk.vault.copies
    return bool(desk.vault.held(stored.body_sha256) == copies and desk.keytables.copies(h_core) == copies)
