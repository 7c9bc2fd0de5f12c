"""A camera on a wire for tests, without the wire: the calls of `docked.Camera` that hand it things, after the
pages. What it was given stands in plain fields.
"""

from dataclasses import dataclass, field

from sealhost import keys, statements
from sealhost.errors import CableGone, CameraRefused
from sealhost.keys import SoftKey
from sealhost.session import Here
from sealhost.statements import RELEASE_KEY, KeyList

NOBODY = bytes(16)


@dataclass
class Camera:
    """`keylist` is the newest list it holds, `sealing` the version in force; `gone_at` pulls the cable."""

    key: SoftKey
    keylist: KeyList
    root_point: bytes
    policy: int = 1
    sealing: int = 0
    trial: bytes = b""
    issued: bytes = NOBODY
    calls: list = field(default_factory=list)
    gone_at: str = ""
    refuses: int = 0

    def __post_init__(self):
        self.sealing = self.sealing or self.keylist.version
        self.device_id = self.key.key_id

    def _called(self, name):
        self.calls.append(name)
        if self.gone_at == f"before {name}":
            raise CableGone("port", "pulled")

    def _left(self, name):
        if self.gone_at == f"after {name}":
            raise CableGone("port", "pulled")

    def identify(self):
        return Here(2, 0, self.device_id, keys.key_id_of(self.root_point), self.keylist.version)

    def issue(self, issue, until_ms, kind):
        self._called("issue")
        if self.refuses:
            raise CameraRefused("the issue", self.refuses)
        self.issued = issue
        self._left("issue")
        return False

    def return_(self):
        self._called("return")
        ended, self.issued = self.issued, NOBODY
        self._left("return")
        return ended

    def put_keylist(self, raw):
        newer = KeyList.parse(raw, self.root_point)
        if newer.version < self.keylist.version:
            raise CameraRefused("the key list", 0x10)
        self.calls.append("keylist")
        self.keylist = newer
        return newer.version

    def put_policy(self, raw):
        self.policy = statements.Policy.parse(raw, self.root_point).version
        return self.policy

    def put_drill(self, raw):
        size, point = statements.size_of(statements.DRILL), self.keylist.point(RELEASE_KEY)
        for at in (8, 8 + size):
            said = statements.read(statements.DRILL, raw[at : at + size], point)
            if (said.device_id, said.keylist, said.h_core) != (
                self.device_id,
                self.keylist.version,
                self.trial,
            ):
                raise CameraRefused("the drill", 0x05)
        self.sealing = self.keylist.version
        return self.sealing
