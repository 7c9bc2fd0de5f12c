"""Every failure the device can meet, with the status byte it becomes on the dock.

A flat family, raised as bare classes with the reason in a comment beside the `raise`. It never carries a key,
a PIN or a name: nothing but the class reaches a log or a wire.
"""


class SealcamError(Exception):
    status = 0x01  # a failure without a class of its own


class SelfTestFailed(SealcamError):
    status = 0x02  # a known answer did not come out: this image or this chip must not record


class EntropyFault(SealcamError):
    status = 0x03  # no noise, unhealthy noise, or generator state that could not be kept


class BadPoint(SealcamError):
    status = 0x04  # not an uncompressed point of P-256, or the point at infinity


class BadSignature(SealcamError):
    status = 0x05  # a signature that the named key did not make


class NotProved(SealcamError):
    status = 0x06  # a tag does not fit: sealed under another key, or changed since


class KeyListFault(SealcamError):
    status = 0x10  # the key list is missing, unsigned, older than the one held, or has no use here


class PolicyFault(SealcamError):
    status = 0x11  # the policy is missing, unsigned, older than the one held, or forbids this


class NotEnrolled(SealcamError):
    status = 0x12  # no device key or no organisation: nothing to seal for


class NotDrilled(SealcamError):
    status = 0x13  # no drill statement covers this key list: nobody has shown that they can open it


class Locked(SealcamError):
    status = 0x14  # the gate is shut: wrong PIN, no tries left, or no replay key


class FormatFault(SealcamError):
    status = 0x15  # bytes from outside that break the format's own rules


class JournalFault(SealcamError):
    status = 0x20  # the journal cannot be read, or contradicts itself


class JournalFull(SealcamError):
    status = 0x21  # every sector holds something a receipt has not freed


class FlashFault(SealcamError):
    status = 0x22  # raw flash did not keep what was written, or did not let go of it


class ClockFault(SealcamError):
    status = 0x23  # the clock stepped back, or a time statement does not fit the nonce


class LogFault(SealcamError):
    status = 0x24  # the usage log's chain does not hold


class NoCard(SealcamError):
    status = 0x30  # no card, or none that answers


class CardFault(SealcamError):
    status = 0x31  # the card lost a write, returned other bytes, or failed


class CardFull(SealcamError):
    status = 0x32  # no room for the next part


class SourceFault(SealcamError):
    status = 0x33  # the camera or the microphone stopped, or hands over what cannot be a frame


class OutOfOrder(SealcamError):
    status = 0x34  # a call that the present state does not allow: a sealed buffer, a finished job


class UnknownCommand(SealcamError):
    status = 0x40  # a command byte this camera has no part for


class UnknownFile(SealcamError):
    status = 0x50  # no such file on the card, or none the journal knows


class TailDiffers(SealcamError):
    status = 0x51  # the last chunk a receipt names is not the last one that was written


class LaterKnown(SealcamError):
    status = 0x52  # the journal knows a chunk behind the last one a receipt names


class TooFewCopies(SealcamError):
    status = 0x53  # fewer copies, of body or of slots, than the policy asks for


class NeedsRelease(SealcamError):
    status = 0x54  # a verdict that only the evidence office lets go


class ReceiptOld(SealcamError):
    status = 0x55  # a receipt whose number is not above the last one acted on


class SettledBefore(SealcamError):
    status = 0x56  # the file was wiped against an earlier receipt


class FirmwareRefused(SealcamError):
    status = 0x57  # for another board, damaged, or below the rollback counter
