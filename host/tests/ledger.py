"""What tests of the ledger share: a child that is killed at its n-th durable step, places, a custody log."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sealhost import durable
from sealhost.config import STORE_MARKER
from sealhost.custody import Custody
from sealhost.records import Actor

ORGANISATION = bytes(range(32))
CHECKPOINT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
ACTOR = Actor("vault", "uid-1")


def custody_at(folder: Path) -> Custody:
    """A log with its key."""
    public = CHECKPOINT_KEY.public_key().public_bytes_raw()
    return Custody(folder / "custody.sqlite", ORGANISATION, public, CHECKPOINT_KEY)


def places_in(folder: Path, count: int = 2) -> list[Path]:
    """Store places with their markers."""
    places = [folder / f"store-{number + 1}" for number in range(count)]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        (place / STORE_MARKER).write_text("")
    return places


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do `work` in a child that is killed (SIGKILL) at its n-th durable step, from 1.

    False when it came to its end.
    """
    child = os.fork()
    if child == 0:
        seen, lock = [0], threading.Lock()

        def watch(_name: str) -> None:
            with lock:
                seen[0] += 1
                if seen[0] == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        durable.watch(watch)
        try:
            work()
        except BaseException as wrong:  # noqa: BLE001 - a child must never return into the test
            print(f"{type(wrong).__name__}: {wrong}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)
