"""Exit codes 4 to 7: a card, a store, a line of configuration or a key that is not as it should be."""

from sealhost.errors.base import SealcamError

# 4: a card, folder, device or image could not be read


class PlaceUnreadable(SealcamError):
    """{}: cannot be read: {}"""

    exit_code = 4
    hint = "nothing was wiped; try another reader, then set the card aside"


class PlaceReadOnly(PlaceUnreadable):
    """{}: cannot be written: {}"""

    hint = "nothing on it was wiped; open its lock or mount it for writing, and dock it again"


class CardUnreadable(PlaceUnreadable):
    """{}: the card stopped giving bytes at {}"""

    hint = "nothing was wiped; take the card out, put it in another reader and dock it again"


class MediaBroken(PlaceUnreadable):
    """{}: the pictures or sound inside cannot be rendered: {}"""

    hint = "the sealed recording is unharmed; look at it with `sealcam verify`"


# 5: a store


class StoreUnavailable(SealcamError):
    """{}: the store cannot be used: {}"""

    exit_code = 5
    hint = "nothing was wiped; mend the place and dock the card again"


class StoreFull(StoreUnavailable):
    """{}: the store is full ({})"""

    hint = "nothing was wiped; make room there and dock the card again"


class CopyDamaged(StoreUnavailable):
    """{}: what is stored as {} does not read back the same"""

    hint = "nothing was wiped; keep the other copy and have the disk looked at"


# 6: configuration


class ConfigBroken(SealcamError):
    """{}: {}"""

    exit_code = 6
    hint = "mend that line; nothing else of the file was used"


class ConfigMissing(ConfigBroken):
    """{}: no sealcam.toml there"""

    hint = "name the pack with --home or $SEALCAM_HOME, or make one with `sealcam init`"


class FileMissing(ConfigBroken):
    """{}: cannot be read: {}"""

    hint = "bring the pack back from its backup; `sealcam doctor` says what else is missing"


class CatalogueGone(ConfigBroken):
    """{}: the catalogue is gone, and {} recordings are stored"""

    hint = "nothing is lost: `sealcam audit` builds it again"


class KeyExposed(ConfigBroken):
    """{}: a private key of the root or the evidence office can be read from the vault host"""

    hint = "move that pack to where it belongs; the vault does not start beside it"


class ToolMissing(ConfigBroken):
    """{} is missing here"""

    hint = "run `sealcam doctor`"


# 7: keys and passphrases


class KeyTrouble(SealcamError):
    """{}: the key cannot be used: {}"""

    exit_code = 7
    hint = "see that the right pack is named and the file is whole"


class KeyMissing(KeyTrouble):
    """{}: there is no such key here"""

    hint = "name the pack that holds it with --home"


class PassphraseWrong(KeyTrouble):
    """{}: the passphrase does not open it"""

    hint = "six words, one space between each; nothing is locked by trying again"


class SlotClosed(KeyTrouble):
    """{}: none of the keys here opens it"""

    hint = "ask the evidence office; after a loss, `sealcam escrow recover`"


class PointBad(KeyTrouble):
    """{}: not a point of the curve"""


class SharesWrong(KeyTrouble):
    """these shares do not fit together: {}"""

    hint = "take shares of one set only, and look for a mistyped word"


class SharesTooFew(SharesWrong):
    """{} shares given, {} are needed"""

    hint = "open more envelopes of the same set"
