"""A conversation that outlives its sessions: where one is lost it begins again, so many times and no more.

It knows which camera it speaks to and never goes on with another.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from sealhost import session
from sealhost.docked.link import Link, Lost, PointOf
from sealhost.errors import CableGone, NotOurCamera
from sealhost.keys import SoftKey

TRIES = 8  # in a row, without anything new
WHO_TRIES = 3
PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 5.0)  # before each try: a cable plugged in again is found
Answer = TypeVar("Answer")


# one key, or the one of a key list: a camera that took a newer list in mid-docking believes another
LinkKey = SoftKey | Callable[[int], SoftKey]


class Talk:
    """With one camera; `again` is called in every session that replaces a lost one, before it is used."""

    def __init__(
        self,
        link: Link,
        link_key: LinkKey,
        organisation: bytes,
        point_of: PointOf,
        tell: Callable[[str], None] = lambda what: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.link = link
        self._link_key, self._organisation, self._point_of = link_key, organisation, point_of
        self._tell, self._sleep = tell, sleep
        self.again: Callable[[], None] = lambda: None
        self.device_id: bytes | None = None
        self.sessions = 0
        self.progress = 0  # whatever rises while there is something new; tries are counted anew then

    def run(self, transaction: Callable[[], Answer]) -> Answer:
        """The answer of a transaction that may be asked again; CableGone when it comes to no end."""
        tries, seen, why = 0, self.progress, "nobody answers"
        while tries < TRIES:
            if tries:
                self._sleep(PAUSES[tries])
            try:
                self._ready()
                return transaction()
            except Lost as lost:
                why = str(lost)
                self.link.drop()
                self._tell(f"{self.link.name}: {why}; beginning again")
            tries = 1 if self.progress > seen else tries + 1
            seen = self.progress
        raise CableGone(self.link.name, why)

    def ask(self, command: int, body: bytes = b"") -> bytes:
        """The whole answer, its pieces put together; inside `run`."""
        return b"".join(self.link.ask(command, body))

    def end_session(self) -> None:
        """The next request begins a new one."""
        self.link.drop()

    def _ready(self) -> None:
        if self.link.welcomed is not None:
            return
        self.link.open()
        here = self._find()
        key = self._link_key if isinstance(self._link_key, SoftKey) else self._link_key(here.keylist)
        welcomed = self.link.begin(key, self._organisation, self._point_of)
        known = self.device_id not in (None, bytes(32))
        if known and welcomed.device_id != self.device_id:
            self.link.drop()
            raise NotOurCamera("another camera is on the line now")
        self.device_id = welcomed.device_id
        self.sessions += 1
        if self.sessions > 1:
            self.again()

    def _find(self) -> session.Here:
        """Somebody is there, and it may be ours; asked first, as it costs a camera nothing (D11)."""
        for left in reversed(range(WHO_TRIES)):
            try:
                here = self.link.who()
                break
            except Lost:
                if not left:
                    raise
        if here.state != session.NO_ORGANISATION and here.organisation != self._organisation:
            raise NotOurCamera("it belongs to another organisation")
        return here
