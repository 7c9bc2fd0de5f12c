"""New keys for old duties, a newer policy, and what of both a docked camera is still owed.

Every change is a newer key list or policy, signed by the root with the three packs side by side. Old keys
stay where what is stored still needs them. It opens no recording; the opening drill is the work of
`drilling`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sealhost import certificates, escrow, keyring, keys
from sealhost.config import KEYS, OFFICE, ROOT, VAULT, Pack
from sealhost.durable import write_file
from sealhost.errors import CameraRefused, Refused
from sealhost.founding import NEEDED, SHARES, share
from sealhost.keyring import NUMBERS, Drills
from sealhost.keys import SoftKey
from sealhost.statements import KeyList, Policy

CHANGE, REPLACE, REVOKE = "change", "replace", "revoke"
LOST = "lost"  # the state of a camera in the register
MAY_BE_ABSENT = ("certificate", "link", "enrolment")  # roles 6, 8 and 9; statements.md
_HOLDER = {"escrow": ROOT, **{role: kind for kind in (OFFICE, VAULT) for role in KEYS[kind]}}
_POLICY_FIELDS = (
    "flags",
    "signature_interval_ms",
    "part_bytes",
    "chunk_size",
    "pre_event_s",
    "copies",
    "slot_copies",
)


@dataclass(frozen=True)
class Ceremony:
    """The three packs side by side, and whoever may sign for the root."""

    packs: Mapping[str, Pack]
    root: SoftKey
    words: Callable[[Path], str]  # the passphrase of the pack a key file belongs to
    note: Callable[..., Any]  # one entry of custody: event, subject, details

    def path(self, kind: str, name: str) -> Path:
        return self.packs[kind].files[name]

    def keylist(self, kind: str = ROOT) -> KeyList:
        return KeyList.parse(self.path(kind, "keylist").read_bytes(), self.root.point)

    def policy(self, kind: str = ROOT) -> Policy:
        return Policy.parse(self.path(kind, "policy").read_bytes(), self.root.point)


@dataclass(frozen=True)
class Changed:
    """What became of it: the list in use, the new key's id, the old one's, and where new shares lie."""

    keylist: KeyList
    role: str
    how: str
    new: bytes = b""
    old: bytes = b""
    shares: tuple[Path, ...] = field(default=())


def renew(role: str, how: str, packs: Ceremony) -> Changed:
    """Give a duty to a new key, or with *revoke* to nobody.

    Order of writes: the new key, custody, the root's list (here the old list stops being in use), then what
    `finish` copies. Cut before the root's list nothing has changed but for a key that nobody lists; cut after
    it, the same command finishes and makes no second list.
    """
    _refuse_nonsense(role, how, packs)
    begun = _begun(role, how, packs)
    finish(packs)
    if begun is not None:
        return begun
    before = packs.keylist()
    old = before.point(NUMBERS[role])
    point, shares = (b"", ()) if how == REVOKE else _make(role, packs)
    points = {number: own for number, own in before.entries if number != NUMBERS[role]}
    if point:
        points[NUMBERS[role]] = point
    newer = KeyList.build(packs.root, before.version + 1, sorted(points.items()))
    withdrawn = keys.key_id_of(old).hex() if old else ""
    told = {"version": newer.version, "role": role, "how": how, "old": withdrawn}
    packs.note("keylist.changed", packs.root.key_id.hex(), **told)
    keyring.keep_list(packs.path(ROOT, "keylist"), before)
    keyring.keep_list(packs.path(ROOT, "keylist"), newer)
    finish(packs)
    ids = [keys.key_id_of(one) if one else b"" for one in (point, old)]
    return Changed(newer, role, how, ids[0], ids[1], shares)


def _begun(role: str, how: str, packs: Ceremony) -> Changed | None:
    """The change of this duty that an earlier run began: the root lists another key than a pack behind it."""
    newest, number = packs.keylist(), NUMBERS[role]
    for kind in (OFFICE, VAULT):
        theirs = packs.keylist(kind)
        point, old = newest.point(number), theirs.point(number)
        if theirs.version < newest.version and point != old and bool(point) == (how != REVOKE):
            ids = [keys.key_id_of(one) if one else b"" for one in (point, old)]
            folder = keyring.named(packs.path(ROOT, "shares"), ids[0])
            shares = tuple(sorted(folder.glob("share-*"))) if role == "escrow" else ()
            return Changed(newest, role, how, ids[0], ids[1], shares)
    return None


def _refuse_nonsense(role: str, how: str, packs: Ceremony) -> None:
    if role not in NUMBERS:
        raise Refused(f"no key list names a role {role!r}; it knows {', '.join(NUMBERS)}")
    if how == REVOKE and role not in MAY_BE_ABSENT:
        raise Refused(f"a key list must name a key for {role}: `sealcam key replace {role}`")
    if set(packs.packs) != {ROOT, OFFICE, VAULT}:
        raise Refused("a newer key list needs the root, office and vault packs side by side")


def _make(role: str, packs: Ceremony) -> tuple[bytes, tuple[Path, ...]]:
    """(point, shares) of a new key, durable in the pack that holds it."""
    if role == "escrow":
        return _make_shares(packs)
    first = packs.packs[_HOLDER[role]].keys[role]
    key = SoftKey.make()
    content = key.pkcs12(_checked_words(first, packs)) if first.suffix == ".p12" else key.pem()
    write_file(keyring.named(first, key.key_id), content, 0o600)
    return key.point, ()


def _checked_words(first: Path, packs: Ceremony) -> str:
    """The passphrase of a pack, which opens another key of it: a slip would lock the new key for ever."""
    words = packs.words(first)
    others = [path for path in sorted(first.parent.glob("*.p12")) if path != first]
    keys.load(others[0] if others else first, lambda: words)
    return words


def _make_shares(packs: Ceremony) -> tuple[bytes, tuple[Path, ...]]:
    key = SoftKey.make()
    folder = keyring.named(packs.path(ROOT, "shares"), key.key_id)
    folder.mkdir(mode=0o700)
    paths = []
    for number, mnemonic in enumerate(escrow.split(key.scalar, NEEDED, SHARES), 1):
        path = folder / f"share-{number}-of-{SHARES}.txt"
        write_file(path, share(number, SHARES, NEEDED, packs.root.key_id, mnemonic), 0o600)
        paths.append(path)
    return key.point, tuple(paths)


def finish(packs: Ceremony) -> list[str]:
    """Bring every pack up to the root's list and policy: certificates first, then policy and list.

    Each file is old or new at any moment; run again it ends the same. What was done, in words.
    """
    done = _certify(packs)
    for kind in (OFFICE, VAULT):
        newest, theirs = packs.policy(), packs.policy(kind)
        _refuse_if_ahead(kind, "policy", newest.version, theirs.version)
        if theirs.version < newest.version:
            write_file(packs.path(kind, "policy"), newest.raw, 0o600)
            done.append(f"policy {newest.version} in {kind}")
        mine, own = packs.keylist(), packs.keylist(kind)
        _refuse_if_ahead(kind, "key list", mine.version, own.version)
        if own.version < mine.version:
            keyring.keep_list(packs.path(kind, "keylist"), own)
            keyring.keep_list(packs.path(kind, "keylist"), mine)
            done.append(f"key list {mine.version} in {kind}")
    return done


def _refuse_if_ahead(kind: str, what: str, mine: int, theirs: int) -> None:
    if theirs > mine:
        raise Refused(f"the {kind} pack holds {what} {theirs}, the root {mine}: this is an old root pack")


def _certify(packs: Ceremony) -> list[str]:
    """A certificate of the root for every listed key; the one before stays beside it, named by its key."""
    root_pem = packs.packs[ROOT].certificates["root"].read_bytes()
    done, keylist = [], packs.keylist()
    for role, number in NUMBERS.items():
        point, path = keylist.point(number), packs.packs[_HOLDER[role]].certificates[role]
        if point and certificates.point_of(path.read_bytes()) != point:
            _follow(path, certificates.issue(role, keys.decode_point(point), packs.root, root_pem))
            done.append(f"certificate of {role}")
    enrolment = packs.packs[OFFICE].certificates["enrolment"].read_bytes()
    theirs = packs.packs[VAULT].certificates["enrolment"]  # the vault takes cameras in by it
    if certificates.point_of(theirs.read_bytes()) != certificates.point_of(enrolment):
        _follow(theirs, enrolment)
    return done


def _follow(path: Path, newer: bytes) -> None:
    """A certificate in the place of another, which stays beside it."""
    before = path.read_bytes()
    write_file(keyring.named(path, keys.key_id_of(certificates.point_of(before))), before, 0o600)
    write_file(path, newer, 0o600)


def change_policy(fields: Mapping[str, int], packs: Ceremony) -> Policy:
    """A newer policy with these fields changed. Order of writes: custody, root, office, vault."""
    finish(packs)
    before = packs.policy()
    wanted = {**{name: getattr(before, name) for name in _POLICY_FIELDS}, **fields}
    if all(wanted[name] == getattr(before, name) for name in wanted):
        return before
    newer = Policy.build(packs.root, before.version + 1, **wanted)
    packs.note("policy.changed", packs.root.key_id.hex(), version=newer.version, flags=newer.flags)
    write_file(packs.path(ROOT, "policy"), newer.raw, 0o600)
    finish(packs)
    return newer


@dataclass(frozen=True)
class Owed:
    """What a vault gives each camera that docks: its key list, its policy, and the drills that wait."""

    keylist: KeyList
    policy: Policy
    drills: Drills
    register: Any
    note: Callable[..., Any]


def deliver_keylist(camera: Any, owed: Owed) -> list[str]:
    """A newer key list, right after *dock*: from then on the camera believes its keys. What was done.

    What the camera refuses is told and stays owed; nothing of it keeps the docking.
    """
    return _given(_deliver_keylist, camera, owed)


def _given(step: Callable[[Any, Owed], list[str]], camera: Any, owed: Owed) -> list[str]:
    """A lost camera is given nothing: nobody knows in whose hands it was."""
    device = owed.register.get(camera.device_id)
    if device is None or device.state == LOST:
        return []
    try:
        return step(camera, owed)
    except CameraRefused as refused:
        return [f"not taken: {refused}"]


def _deliver_keylist(camera: Any, owed: Owed) -> list[str]:
    held = camera.identify().keylist
    if held >= owed.keylist.version:
        return []
    camera.put_keylist(owed.keylist.raw)
    return [f"key list {owed.keylist.version} given (it had {held}); its drill follows"]


def deliver(camera: Any, owed: Owed) -> list[str]:
    """Key list, policy and drills a docked camera does not have yet; each can be given again. What was done.
    """
    device = owed.register.get(camera.device_id)
    if device is not None and device.state == LOST:
        return ["it was reported lost: keep it, and see the evidence office"]
    steps = (_deliver_keylist, _deliver_policy, _deliver_drills)
    return [line for step in steps for line in _given(step, camera, owed)]


def _deliver_policy(camera: Any, owed: Owed) -> list[str]:
    """The camera does not tell its version: one it holds already changes nothing there. The first it has."""
    if owed.policy.version > 1:
        camera.put_policy(owed.policy.raw)
    return []


def _deliver_drills(camera: Any, owed: Owed) -> list[str]:
    """Of several trials the camera takes the drill of the one it remembers. Order of writes: the camera,
    custody, the register, then the file goes.
    """
    version = camera.identify().keylist
    for h_core, raw in owed.drills.of(camera.device_id, version):
        try:
            camera.put_drill(raw)
        except CameraRefused:
            continue  # of another trial than the one it remembers
        subject = camera.device_id.hex()
        owed.note("camera.drilled", subject, trial=h_core.hex(), keylist=version, opened_by=[1, 2])
        owed.register.drilled_for(camera.device_id, version)
        owed.drills.drop(camera.device_id, version)
        return [f"key list {version} is in force on it: its trial recording was opened"]
    return []
