"""Exit codes 8 to 22: what was found on a card or in the vault, and what becomes of it."""

from sealhost.errors.base import SealcamError

# 8: something stays on the card


class Kept(SealcamError):
    """{}: kept on the card: {}"""

    exit_code = 8
    hint = "keep: see the evidence office"


# 9: custody


class CustodyBroken(SealcamError):
    """custody: entry {} does not fit: {}"""

    exit_code = 9
    hint = "stop; keep this database as it is and compare it with the last export"


class CheckpointRefused(CustodyBroken):
    """custody: no checkpoint signed: {}"""

    hint = "the log does not extend what was signed before; keep both and tell the evidence office"


# 10: not found


class NotFound(SealcamError):
    """{}: not found"""

    exit_code = 10
    hint = "`sealcam ls` shows what is here"


class Ambiguous(NotFound):
    """{}: more than one begins like that"""

    hint = "give more of its digits"


# 11, 12: prove-encrypted


class NotSealed(SealcamError):
    """{}: not encrypted: {}"""

    exit_code = 11
    hint = "do not let it leave the building"


class CannotTell(SealcamError):
    """{}: cannot tell: {}"""

    exit_code = 12
    hint = "treat it as not encrypted"


# 20, 21, 22: what was judged


class SealBroken(SealcamError):
    """{}: chunk {} was changed after it was sealed"""

    exit_code = 20
    hint = "do not wipe this card; set it aside and tell the evidence office"


class NotProved(SealBroken):
    """{}: chunk {} does not prove, so it was not decrypted"""


class CutShort(SealcamError):
    """{}: every chunk present is proved; no end was signed"""

    exit_code = 21
    hint = "it may be kept and shown; say how far the camera's signature reaches"


class NotJudged(SealcamError):
    """{}: not judged: {}"""

    exit_code = 22
    hint = "see that this host holds the verify key and knows the camera"
