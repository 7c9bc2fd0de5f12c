"""What a person and a machine see of a command: lines or one JSON object, and how far it is.

Nothing here knows what a command does. Answers go to stdout, progress and warnings to stderr.
"""

import functools
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from sealhost.errors import SealcamError

_TTY_SECONDS, _LOG_SECONDS = 0.1, 10.0


@dataclass
class Answer:
    """What a command has to say: the same for both readers, and how it ended."""

    data: dict[str, Any] = field(default_factory=dict)
    lines: Sequence[str] = ()
    exit_code: int = 0


def answers(command: Callable[..., Answer]) -> Callable[..., None]:
    """Give a command `--json`, print what it returns, and leave with its exit code."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, for a program.")
    @click.pass_context
    @functools.wraps(command)
    def told(context: click.Context, as_json: bool, **arguments: Any) -> None:
        context.find_root().meta["sealcam.json"] = as_json
        answer = command(**arguments)
        clear_progress()
        if as_json:
            click.echo(json.dumps(answer.data, indent=2, sort_keys=True, default=_plain))
        else:
            for line in answer.lines:
                click.echo(line)
        context.exit(answer.exit_code)

    return told


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes | bytearray | memoryview) else str(value)


def tell_failure(fault: SealcamError, as_json: bool) -> int:
    """What happened, then what to do; answers the exit code."""
    clear_progress()
    if as_json:
        told = {
            "error": str(fault),
            "kind": type(fault).__name__,
            "hint": fault.hint,
            "exit_code": fault.exit_code,
        }
        click.echo(json.dumps(told, indent=2, sort_keys=True))
    else:
        click.echo(f"sealcam: {fault}", err=True)
        if fault.hint:
            click.echo(f"         {fault.hint}", err=True)
    return fault.exit_code


class Progress:
    """How far: redrawn in place for a person, a line now and then in a log, nothing for what is quick."""

    shown = False

    def __init__(self, label: str = "") -> None:
        self.label = label
        self._every = _TTY_SECONDS if sys.stderr.isatty() else _LOG_SECONDS
        self._next = time.monotonic() + self._every

    def stage(self, label: str) -> None:
        """Another thing is being done now."""
        self.label = label

    def __call__(self, fraction: float) -> None:
        """`fraction` of it is done, 0 to 1."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._every
        text = f"{self.label} {100 * min(fraction, 1.0):3.0f} %"
        if sys.stderr.isatty():
            Progress.shown = True
            click.echo(f"\r\x1b[K{text}", err=True, nl=False)
        else:
            click.echo(text, err=True)


def clear_progress() -> None:
    """Leave no half line behind."""
    if Progress.shown:
        click.echo("\r\x1b[K", err=True, nl=False)
        Progress.shown = False


def printable(text: str) -> str:
    """A name from a card, with nothing in it that moves a cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def size(count: int) -> str:
    """Bytes for a person."""
    number, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if number < 1024 or unit == "TiB":
            break
        number /= 1024
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def clock(utc_ms: int) -> str:
    """UTC milliseconds for a person."""
    if not utc_ms:
        return "time not known"
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(utc_ms / 1000)) + f".{utc_ms % 1000:03d} UTC"


def duration(ms: int) -> str:
    """Minutes and seconds."""
    return f"{ms // 60000}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
