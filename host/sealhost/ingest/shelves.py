"""What the vault already holds of a camera, as far as it can speak for what is docked now.

A later header may have come on another card, at an earlier docking. Reads stored bodies and changes nothing.
"""

from collections.abc import Sequence

from sealhost import keys, layout
from sealhost.desk import Desk
from sealhost.errors import SealcamError
from sealhost.ingest.taking import Taking
from sealhost.records import Judgement, Recording, Verdict
from sealhost.verify import judge, read_core

NEAR = 64  # numbers above a recording, and below it down to its usage log


def shelved(takings: Sequence[Taking], desk: Desk) -> list[Judgement]:
    """Judgements of stored recordings near each docked one that is cut short; recording.md, section 3.5."""
    docked = {taking.h_core for taking in takings}
    cut = {(t.device_id, t.sequence) for t in takings if t.judgement.verdict is Verdict.CUT_SHORT}
    near = {stored.h_core: stored for camera, number in cut for stored in _near(camera, number, desk)}
    found = (_heard(stored, desk) for name, stored in near.items() if name not in docked)
    return [judgement for judgement in found if judgement is not None]


def _near(device_id: bytes, number: int, desk: Desk) -> list[Recording]:
    """Stored files of the camera above `number`, and those below it as far as the newest usage log."""
    numbers = sorted(desk.catalogue.sequences(device_id))
    above = [n for n in numbers if n > number][:NEAR]
    below = [n for n in numbers if n < number][: -NEAR - 1 : -1]
    found = [stored for n in above if (stored := desk.catalogue.of_sequence(device_id, n))]
    for n in below:
        stored = desk.catalogue.of_sequence(device_id, n)
        found += [stored] if stored else []
        if stored and stored.kind == layout.KIND_LOG:
            break
    return found


def _heard(stored: Recording, desk: Desk) -> Judgement | None:
    """A stored file that cannot be read or opened is not at hand: it confirms nothing and accuses nobody."""
    try:
        return _judgement(stored, desk)
    except SealcamError:
        return None  # `audit` names it; a docking does not wait for that


def _judgement(stored: Recording, desk: Desk) -> Judgement | None:
    """What was judged when it was stored; a cut one is judged again, for what its signatures cover."""
    body, row = desk.vault.open(stored.body_sha256), desk.keytables.get(stored.h_core)
    core = read_core(body)
    if core is None or row is None:
        return None
    if stored.ended:
        end = (stored.last_index, stored.last_tag)
        # its head proved then: V itself would add nothing here
        return Judgement(stored.verdict, True, core, ended=True, ends=(end,), verify_secret=bytes(32))
    role, payload = keys.open_area_by(desk.openers, core, row.slot_area)
    secret = keys.verify_secret_of(payload) if role == layout.ROLE_OPEN else payload
    return judge([body], verify_secret=secret, device_point=desk.device_point)


__all__ = ["shelved"]
