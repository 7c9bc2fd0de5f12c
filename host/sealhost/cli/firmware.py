"""`firmware`: sign an update with the root, look into one, send it to a camera on a line."""

from pathlib import Path

import click

from sealhost import config, durable
from sealhost.cli import wired, wiring
from sealhost.cli.console import Answer, Progress, answers
from sealhost.errors import BadStatement, BadUsage, OutputExists, OutputRefused
from sealhost.statements import Firmware


@click.group(short_help="Updates for cameras: sign, show, send.")
def firmware() -> None:
    """Updates for cameras: `make firmware-archive BOARD=...` packs one, the root signs, a camera takes it."""


@firmware.command()
@click.argument("archive", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--version", required=True, type=click.IntRange(1), help="The build's number; it only rises.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The signed archive.")
@click.option("--dry-run", is_flag=True, help="Say what would be signed, and sign nothing.")
@answers
def sign(archive: Path, version: int, output: Path, dry_run: bool) -> Answer:
    """Sign what `make firmware-archive` packed, with the root key. Cameras of this organisation take it.

    \b
    Example:
      sealcam --home /media/usb/root firmware sign build/qemu_mps2.firmware --version 2 -o mps2-2.firmware
    """
    home = wiring.home()
    home.config.pack(config.ROOT)
    found = Firmware.unproved(wiring.content(archive))
    if found.version:
        raise BadUsage(f"{archive} is signed already, as version {found.version}")
    if dry_run:
        return Answer(_plain(found), [f"would sign as version {version}:", *_told(found)])
    if output.exists():
        raise OutputExists(output)
    if not output.parent.is_dir():
        raise OutputRefused(output, "its folder is not there")
    durable.write_file(output, found.sign(version, home.key("root")), 0o644)
    signed = Firmware.parse(output.read_bytes(), home.root_point)
    return Answer(
        {**_plain(signed), "file": str(output)}, [f"{output}: signed as version {version}", *_told(signed)]
    )


@firmware.command()
@click.argument("archive", metavar="FILE", type=click.Path(path_type=Path))
@answers
def show(archive: Path) -> Answer:
    """What is in an archive: board, version, rollback counter, digest, modules; and whether this
    organisation's root signed it. Exit code 3 where it did not.

    \b
    Example:
      sealcam --home ~/sealcam firmware show mps2-2.firmware
    """
    home, raw = wiring.home(), wiring.content(archive)
    found = Firmware.unproved(raw)
    proved = bool(found.version) and _proves(raw, home.root_point)
    said = "signed by this organisation's root" if proved else "NOT signed by this organisation's root"
    if not found.version:
        said = "not signed yet: `sealcam firmware sign`"
    lines = [*_told(found), *(f"  {name} {len(found.files[name])}" for name in sorted(found.files)), said]
    return Answer({**_plain(found), "proved": proved}, lines, 0 if proved else 3)


@firmware.command()
@click.argument("archive", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("port")
@click.option("--later", is_flag=True, help="Leave the restart to the wearer; it runs from then on.")
@click.option("--dry-run", is_flag=True, help="Prove it, and say what would be sent where.")
@answers
def send(archive: Path, port: str, later: bool, dry_run: bool) -> Answer:
    """Send a signed archive to the camera on a line; it goes on where a cable was pulled.

    The camera tries it at its next start and keeps the old one until the new one has passed its known
    answers, recorded a chunk and docked; otherwise it goes back by itself.

    \b
    Example:
      sealcam --home ~/sealcam firmware send mps2-2.firmware /dev/ttyACM0
    """
    home, raw = wiring.home(), wiring.content(archive)
    found = Firmware.parse(raw, home.root_point)
    if dry_run:
        return Answer(_plain(found), [f"would send to {port}:", *_told(found)])
    progress = Progress("sending")
    with wired.opened(home, port, progress.stage) as camera:
        version, digest = camera.firmware(raw, progress)
        about = {"version": version, "digest": digest.hex(), "board": found.board}
        home.custody.note("firmware.sent", home.actor("vault"), camera.device_id, **about)
        home.custody.witness()
        if not later:
            camera.restart()
    when = "at its next start" if later else "now"
    lines = [f"version {version} is staged; the camera tries it {when}"]
    return Answer({**about, "restarted": not later}, [*lines, f"then: sealcam dock {port}"])


def _proves(raw: bytes, root_point: bytes) -> bool:
    try:
        Firmware.parse(raw, root_point)
    except BadStatement:
        return False
    return True


def _plain(found: Firmware) -> dict[str, object]:
    facts: dict[str, object] = {"board": found.board, "version": found.version, "counter": found.counter}
    return {**facts, "digest": found.digest.hex(), "modules": sorted(found.files), "bytes": len(found.body)}


def _told(found: Firmware) -> list[str]:
    version = f"version {found.version}" if found.version else "no version yet"
    return [
        f"firmware for {found.board}, {version}, counter {found.counter}",
        f"  digest {found.digest.hex()}, {len(found.files)} modules, {len(found.body)} bytes",
    ]


COMMANDS = (firmware,)
