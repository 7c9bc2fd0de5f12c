"""Exit code 3: somebody has to do something first."""

from sealhost.errors.base import SealcamError


class Refused(SealcamError):
    """refused: {}"""

    exit_code = 3
    hint = "nothing was changed"


class BadStatement(Refused):
    """not a signed statement we accept: {}"""

    hint = "do not act on it; ask its sender for a fresh one"


class BadSignature(BadStatement):
    """the signature on {} does not verify"""


class VersionFell(BadStatement):
    """{}: version {} is older than the {} already known here"""

    hint = "somebody offered an old file; look for the newest one and tell the evidence office"


class EnrolmentRefused(Refused):
    """{}: not enrolled: {}"""

    hint = "run the step again with the camera's own exchange folder"


class WipeRefused(Refused):
    """{}: not wiped: {}"""

    hint = "the recording stays on the card; see `sealcam show` for what is stored of it"


class ReleaseRefused(Refused):
    """{}: not released: {}"""

    hint = "a release is signed by the evidence office over what is in quarantine now"


class PlaceBusy(Refused):
    """{}: in use: {}"""

    hint = "wait for the other one to end, or unmount it; then run this again"


class OutputExists(Refused):
    """{}: there is something there already"""

    hint = "choose another name; nothing is ever written over"


class OutputRefused(Refused):
    """{}: cannot be written: {}"""

    hint = "name a file in a folder that is there and may be written"
