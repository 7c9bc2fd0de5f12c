"""Keys at rest in flash: the device key, the organisation's lists, the drill.

Small files with a digest behind their content. A blank or damaged one is a fault with a name, never an
absence. Knows no signature; whoever reads a list checks it.
"""

import struct

from sealcam.crypto import same, sha256
from sealcam.errors import FlashFault, KeyListFault, NotDrilled, NotEnrolled, PolicyFault
from sealcam.flash import NotThere

_IDENTITY = ">32s65s65s32s16s16sQ"  # d, point, root point, organisation, offer's nonce, time nonce, board ms
_ISSUE = ">16sQB"  # issue, until in UTC ms, kind
_REPLAY = ">16sI65s40s"  # issue, rounds, point, wrapped private key
_DIGEST = 32


class Identity:
    """Who the camera is, and whose."""

    def __init__(self, raw):
        d, self.point, self.root_point, self.organisation, self.nonce, self.time_nonce, self.asked_ms = (
            struct.unpack(_IDENTITY, raw)
        )
        self.d = int.from_bytes(d, "big")
        self.device_id = sha256(self.point)


class KeyStore:
    """`files` is a flash.Files."""

    def __init__(self, files):
        self._files = files

    def identity(self) -> Identity:
        """NotEnrolled if there is none, or the device key is blank: nothing can be signed, so nothing is
        recorded.
        """
        raw = self._get("identity", NotEnrolled)
        if len(raw) != struct.calcsize(_IDENTITY) or not any(raw[:32]) or raw[32] != 4:
            raise NotEnrolled  # blanked
        return Identity(raw)

    def has_identity(self) -> bool:
        """Whether there is a file at all, good or bad: what refuses a second organisation."""
        return "identity" in self._files.names()

    def keep_identity(self, d, point, root_point, organisation, nonce, time_nonce, asked_ms) -> None:
        """The last write of taking an offer: before it the camera belongs to nobody, after it to this
        organisation.
        """
        raw = struct.pack(
            _IDENTITY, d.to_bytes(32, "big"), point, root_point, organisation, nonce, time_nonce, asked_ms
        )
        self._put("identity", raw)

    def keylist(self) -> bytes:
        return self._get("keylist", KeyListFault)

    def policy(self) -> bytes:
        return self._get("policy", PolicyFault)

    def keep_lists(self, keylist, policy) -> None:
        self._put("keylist", keylist)
        self._put("policy", policy)

    def keep_keylist(self, keylist) -> None:
        self._put("keylist", keylist)

    def keep_policy(self, policy) -> None:
        self._put("policy", policy)

    def next_keylist(self) -> "bytes | None":
        """A newer list that nobody has drilled yet, None while there is none."""
        try:
            return self._get("nextlist", NotThere)
        except NotThere:
            return None

    def keep_next_keylist(self, keylist) -> None:
        self._put("nextlist", keylist)

    def next_trial(self, version: int) -> "bytes | None":
        """h_core of the trial recording under the newer list of this version."""
        try:
            made_for, h_core = struct.unpack(">I32s", self._get("nexttrial", NotThere))
        except NotThere:
            return None
        return h_core if made_for == version else None

    def keep_next_trial(self, version: int, h_core: bytes) -> None:
        self._put("nexttrial", struct.pack(">I32s", version, h_core))

    def forget_next(self) -> None:
        """The newer list is the list in force: nothing waits."""
        self._files.remove("nextlist")

    def certificate(self) -> bytes:
        return self._get("certificate", NotEnrolled)

    def keep_certificate(self, statement, certificate) -> None:
        """The certificate is kept and never parsed; the statement's signed bytes stand behind the clock's
        anchor.
        """
        self._put("time", statement)
        self._put("certificate", certificate)

    def has_certificate(self) -> bool:
        return "certificate" in self._files.names()

    def trial(self) -> "tuple[int, int, bytes] | None":
        """(sequence, length of the part, h_core) of the trial recording, None while there is none."""
        try:
            return struct.unpack(">QQ32s", self._get("trial", NotThere))
        except NotThere:
            return None

    def keep_trial(self, sequence: int, length: int, h_core: bytes) -> None:
        self._put("trial", struct.pack(">QQ32s", sequence, length, h_core))

    def drilled(self) -> int:
        """The key-list version that somebody has shown they can open; NotDrilled if there is none."""
        return struct.unpack(">I", self._get("drill", NotDrilled))[0]

    def keep_drill(self, version: int) -> None:
        self._put("drill", struct.pack(">I", version))

    def receipt(self) -> "tuple[int, bytes, bytes]":
        """(highest number acted on, digest of the newest statement acted on, its signed wipe record).

        FlashFault where it was changed: then nobody knows what was acted on.
        """
        try:
            raw = self._get("receipt", NotThere)
        except NotThere:
            return 0, bytes(32), b""
        number, digest = struct.unpack(">Q32s", raw[:40])
        return number, digest, raw[40:]

    def keep_receipt(self, number: int, digest: bytes, record: bytes) -> None:
        """All three at once: a number that is known was acted on, and its record is there."""
        self._put("receipt", struct.pack(">Q32s", number, digest) + record)

    def emptied(self) -> "tuple[bool, tuple]":
        """(whether a host was told, numbers that were gone from their card without a receipt)."""
        try:
            raw = self._get("emptied", NotThere)
        except NotThere:
            return True, ()
        return bool(raw[0]), struct.unpack(">%dQ" % (len(raw) // 8), raw[1:])

    def keep_emptied(self, told: bool, numbers) -> None:
        self._put("emptied", struct.pack(">B%dQ" % len(numbers), told, *numbers))

    def boots(self) -> int:
        """How often the camera has started, this time included: counted before the number is used."""
        try:
            count = struct.unpack(">I", self._get("boots", NotThere))[0]
        except NotThere:
            count = 0
        self._put("boots", struct.pack(">I", count + 1))
        return count + 1

    def issue(self) -> "tuple[bytes, int, int] | None":
        """(issue, until, kind); None where there is none. FlashFault for one that does not hold."""
        return self._fields("issue", _ISSUE)

    def keep_issue(self, issue: bytes, until_ms: int, kind: int) -> None:
        """In one step: a cut leaves the issue before, or this one."""
        self._put("issue", struct.pack(_ISSUE, issue, until_ms, kind))

    def drop_issue(self) -> None:
        """The issue first: a camera without one has no replay, whatever else is left."""
        self._files.remove("issue")
        self._files.remove("replay")

    def replay(self) -> "tuple[bytes, int, bytes, bytes] | None":
        """(issue, rounds, point, wrapped key); None where there is none that holds: it opens nothing alone.
        """
        try:
            return self._fields("replay", _REPLAY)
        except FlashFault:
            return None

    def keep_replay(self, issue: bytes, rounds: int, point: bytes, wrapped: bytes) -> None:
        self._put("replay", struct.pack(_REPLAY, issue, rounds, point, wrapped))

    def _fields(self, name, fields):
        try:
            raw = self._get(name, NotThere)
        except NotThere:
            return None
        if len(raw) != struct.calcsize(fields):
            raise FlashFault  # whole, and nothing of ours
        return struct.unpack(fields, raw)

    def device_secret(self, rand) -> bytes:
        """What a PIN is worth nothing without; drawn from `rand` where there is none yet."""
        try:
            return self._get("secret", NotThere)
        except NotThere:
            self._put("secret", rand(32))
        return self._get("secret", NotThere)

    def _get(self, name, missing):
        try:
            raw = self._files.read(name)
        except NotThere:
            raise missing from None
        if len(raw) < _DIGEST or not same(sha256(raw[:-_DIGEST]), raw[-_DIGEST:]):
            raise FlashFault if missing is NotThere else missing  # changed since it was written
        return raw[:-_DIGEST]

    def _put(self, name, content):
        content = bytes(content)
        self._files.replace(name, content, sha256(content))
