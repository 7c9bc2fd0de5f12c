"""`key` and `policy`: new keys, newer rules, and the opening drill that ends each new key list."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sealhost import config, drilling, keyring, lending, loans, rekeying
from sealhost.cli import wiring
from sealhost.cli.console import Answer, answers
from sealhost.errors import ConfigMissing, EnrolmentRefused, Refused
from sealhost.statements import ESCROW, RELEASE_KEY, root

_DRY = click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
_ROLE = click.argument("role", type=click.Choice(keyring.ROLES))
_AFTER = {
    "evidence": "the old key still opens what is stored; keep its file",
    "escrow": "put each new share into its own envelope, then delete the files; keep the old envelopes",
    "certificate": "loans signed before are refused: lend them again",
    "link": "a camera takes the new key at its next docking; until then it is met with the old one",
}
_FLAGS = (
    ("replay", root.REPLAY, "Replay on the camera behind a PIN."),
    ("accept-unprotected-flash", root.REPLAY_UNPROTECTED, "Even where a copied flash is soon searched."),
    ("sound", root.SOUND, "Record sound."),
    ("wipe-unconfirmed", root.WIPE_UNCONFIRMED, "A reader alone may wipe what is unconfirmed."),
    ("overwrite", root.OVERWRITE, "Overwrite a whole card after its wipe."),
    ("pre-event-sound", root.PRE_EVENT_SOUND, "Sound in pre-event files."),
)
_SIZES = ("signature_interval_ms", "part_bytes", "chunk_size", "pre_event_s", "copies", "slot_copies")


def _ceremony() -> tuple[wiring.Home, rekeying.Ceremony]:
    """The three packs side by side: a demonstration, or a folder they were brought to for this."""
    folder = click.get_current_context().find_root().obj
    try:
        home = wiring.Home(folder)
    except ConfigMissing:
        home = wiring.Home(folder, config.as_founded(config.home_of(folder)))
    if set(home.config.packs) != set(config.PACKS):
        raise Refused("this needs the root, office and vault packs side by side")
    actor = home.actor("root")

    def note(event: str, subject: str, **detail: Any) -> int:
        return home.custody.note(event, actor, subject, **detail)

    def words(path: Path) -> str:
        return home.passphrase(path.stem, path)()

    return home, rekeying.Ceremony(home.config.packs, home.key("root"), words, note)


@click.group(short_help="New keys for old duties, and the drill that follows.")
def key() -> None:
    """New keys for old duties. Each makes a newer key list, which ends with an opening drill."""


def _renewed(role: str, how: str, dry_run: bool) -> Answer:
    home, packs = _ceremony()
    if dry_run:
        version = packs.keylist().version + 1
        return Answer({"role": role, "how": how}, [f"would {how} {role}: key list {version}"])
    changed = rekeying.renew(role, how, packs)
    home.custody.witness()
    new = f"the new key is {changed.new.hex()[:16]}" if changed.new else "nobody has this duty now"
    lines = [f"key list {changed.keylist.version}: {role} {how}d; {new}"]
    lines += [f"share: {path}" for path in changed.shares]
    lines += [_AFTER[role]] if role in _AFTER and how != rekeying.REVOKE else []
    lines.append("next: dock every camera; each makes a trial recording, and docks again")
    lines.append("then: sealcam key drill")
    data = {"version": changed.keylist.version, "role": role, "how": how}
    data |= {"new": changed.new.hex(), "old": changed.old.hex()}
    return Answer({**data, "shares": [str(path) for path in changed.shares]}, lines)


@key.command()
@_ROLE
@_DRY
@answers
def change(role: str, dry_run: bool) -> Answer:
    """Give a duty to a new key, as planned. Needs the three packs side by side.

    \b
    Example:
      sealcam --home /media/ceremony key change evidence
    """
    return _renewed(role, rekeying.CHANGE, dry_run)


@key.command("replace")
@_ROLE
@_DRY
@answers
def replaced(role: str, dry_run: bool) -> Answer:
    """The key is lost or stolen: a new one in its place, and the old one is listed no more.

    \b
    Example:
      sealcam --home /media/ceremony key replace receipt
    """
    return _renewed(role, rekeying.REPLACE, dry_run)


@key.command()
@click.argument("role", type=click.Choice(rekeying.MAY_BE_ABSENT))
@_DRY
@answers
def revoke(role: str, dry_run: bool) -> Answer:
    """Give a duty to nobody; only those a key list can do without.

    \b
    Example:
      sealcam --home /media/ceremony key revoke link
    """
    return _renewed(role, rekeying.REVOKE, dry_run)


@key.command()
@click.option("--share", "shares", multiple=True, help="An escrow share: a file or its words.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where the drills go (office apart).")
@_DRY
@answers
def drill(shares: tuple[str, ...], output: Path | None, dry_run: bool) -> Answer:
    """Open every trial recording under the newest key list by evidence key and by escrow, and say so.

    The evidence office runs it with the shares. A vault that stands apart lends the trials first, by this
    same command, and takes the drills back with `key take`. Cameras get them when they dock.

    \b
    Example:
      sealcam --home ~/sealcam key drill
      sealcam --home /mnt/office key drill --share one.txt --share two.txt --share three.txt -o drills
    """
    home = wiring.home()
    version = home.keylist.version
    is_vault, is_office = (kind in home.config.packs for kind in (config.VAULT, config.OFFICE))
    trials = drilling.waiting(home.catalogue.all(), version, _drilled(home) if is_vault else lambda device: 0)
    if dry_run or not trials:
        line = f"{len(trials)} trial recordings wait under key list {version}"
        return Answer({"waiting": len(trials), "version": version}, [line])
    if not is_office:
        return _lent(home, trials)
    if not is_vault and output is None:
        raise Refused("say with -o where the drills go: the vault takes them with `key take`")
    return _drilled_now(home, trials, shares, output)


def _drilled(home: wiring.Home) -> Any:
    known = {device.device_id: device.keylist for device in home.register.devices()}
    return lambda device: known.get(device, 0)


def _lent(home: wiring.Home, trials: Any) -> Answer:
    desk, folder = home.desk(), loans.Desk(home.config.file("loans"))
    paths = lending.lend(trials, desk, lambda *loan: folder.put(loans.Loan(*loan), desk.certificate_key))
    return Answer({"lent": [str(path) for path in paths]}, [f"lent to the office: {path}" for path in paths])


def _drilled_now(home: wiring.Home, trials: Any, shares: tuple[str, ...], output: Path | None) -> Answer:
    escrow = home.escrow_key(shares)
    if escrow.point != home.keylist.point(ESCROW):
        raise Refused("these shares are of an older escrow key: a drill needs those of the newest list")
    room = replace(home.room(), openers=[home.key("evidence")])
    version, drills = home.keylist.version, keyring.Drills(output) if output else home.drills
    found = drilling.drill(trials, version, room, escrow, home.key("release"))
    lines, failed = [], 0
    for one in found:
        name = f"{one.recording.device_id.hex()[:16]}/{one.recording.sequence}"
        if one.raw:
            drills.put(one.recording.device_id, version, one.recording.h_core, one.raw)
            _note_in_office(home, one, version)
        failed += not one.raw
        lines.append(f"{name}: {one.trouble or 'opened by the evidence key and by the escrow shares'}")
    lines.append("the cameras get it when they dock next")
    data = {"version": version, "opened": len(found) - failed, "failed": failed, "folder": str(drills.folder)}
    return Answer(data, lines, EnrolmentRefused.exit_code if failed else 0)


def _note_in_office(home: wiring.Home, one: drilling.Opened, version: int) -> None:
    """In the office's own diary; where both are one, the vault notes it once a camera took it."""
    if config.VAULT not in home.config.packs:
        trial, actor = one.recording.h_core.hex(), home.actor("evidence")
        device_id = one.recording.device_id
        home.custody.note(
            "camera.drilled", actor, device_id, trial=trial, keylist=version, opened_by=[1, 2]
        )


@key.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@answers
def take(files: tuple[Path, ...]) -> Answer:
    """A vault that stands apart takes the office's drills.

    \b
    Example:
      sealcam --home /mnt/vault key take drills/*.drill
    """
    home, taken = wiring.home(), []
    for path in files:
        raw = wiring.content(path)
        about = drilling.read(raw, home.keylist.point(RELEASE_KEY) or b"")
        home.drills.put(*about, raw)
        taken.append(str(path))
    return Answer({"taken": taken}, [f"taken: {path}" for path in taken])


@click.group(short_help="The rules that cameras and docks keep, signed by the root.")
def policy() -> None:
    """The rules that cameras and docks keep, signed by the root."""


def _options(command: Any) -> Any:
    for name, _, words in reversed(_FLAGS):
        spoken = f"allow-{name}" if name == "replay" else name
        both = f"--{spoken}/--no-{name}"
        command = click.option(both, name.replace("-", "_"), default=None, help=words)(command)
    for name in reversed(_SIZES):
        command = click.option(f"--{name.replace('_', '-')}", name, type=int)(command)
    return command


@policy.command("change")
@_options
@_DRY
@answers
def change_policy(dry_run: bool, **asked: Any) -> Answer:
    """Sign a newer policy with what is named here changed. Needs the three packs side by side.

    Cameras take it when they dock. Replay on a board whose flash is not protected stays refused unless both
    --allow-replay and --accept-unprotected-flash are signed.

    \b
    Example:
      sealcam --home /media/ceremony policy change --allow-replay
      sealcam --home /media/ceremony policy change --no-sound
    """
    home, packs = _ceremony()
    before = packs.policy()
    flags = before.flags
    for name, bit, _ in _FLAGS:
        wanted = asked[name.replace("-", "_")]
        if wanted is not None:
            flags = flags | bit if wanted else flags & ~bit
    fields = {"flags": flags, **{name: asked[name] for name in _SIZES if asked[name] is not None}}
    if dry_run:
        return Answer({"fields": fields}, [f"would sign policy {before.version + 1}: {fields}"])
    newer = rekeying.change_policy(fields, packs)
    home.custody.witness()
    if newer.version == before.version:
        return Answer({"version": newer.version}, [f"policy {newer.version} says so already"])
    line = f"policy {newer.version}: cameras take it when they dock"
    return Answer({"version": newer.version, "flags": newer.flags}, [line])


COMMANDS = (key, policy)
