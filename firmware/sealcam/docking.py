"""In order: into the dock and out of it, the card out, the power off. Ends what is open, begins again.

Decides nothing about who may ask. A cut anywhere in here leaves what a cut of the same steps anywhere leaves:
a recording or a segment without an end, which the next boot closes in the journal.
"""

from sealcam import usagelog
from sealcam.errors import CardFault, CardFull, JournalFull, NoCard, OutOfOrder, SealcamError
from sealcam.layout import REASON_DOCKED, REASON_POWER_DOWN
from sealcam.recovery import clear, recover

_NO_ISSUE = bytes(16)
_CARD_FAULTS = (NoCard, CardFault, CardFull, JournalFull)
_NO_ROOM = (None, CardFull, JournalFull)  # a card without room is written to the end, and may have room again


def dock_down(camera) -> bytes:
    """End recording, issue and log segment, forget what was ready; the issue that ended, or zeros.

    The recording first, for it is evidence; the issue before anything that a failing card could stop. What
    fails in between is said in the log and stops nothing.
    """
    recorder = camera.recorder
    if camera.lists is not None:
        _go_on(camera, camera.lists.end_trial)  # what it films for itself gives way
    if recorder is not None and recorder.recording:
        _go_on(camera, lambda: recorder.stop(REASON_DOCKED))
    camera.docked = True  # from here on nothing begins by itself
    issue = camera.issuing.end() if camera.issuing is not None else _NO_ISSUE
    camera.forget_ready()
    if camera.fault is None:
        camera.logbook.note(usagelog.DOCKED)
        if camera.card_fault in _NO_ROOM and camera.card.mounted:
            _go_on(camera, lambda: _settle(camera))
    return issue


def _settle(camera):
    camera.logbook.close(REASON_DOCKED)
    clear(camera)  # a part that was ready opens nothing any more


def _go_on(camera, step):
    """A card that fails is noted, and the docking goes on."""
    try:
        step()
    except _CARD_FAULTS as fault:
        camera.card_fault = type(fault)
        camera.say("- refuses to record: %s" % camera.card_fault.__name__)


def undock(camera) -> None:
    """Out of the dock: clear up on the card, as after a cut, and begin the next log segment. A card that was
    full is tried anew.
    """
    if not camera.docked:
        return
    camera.docked, camera.dock_lamp = False, 0
    if camera.fault is None and camera.card_fault in _NO_ROOM and camera.recorder is not None:
        camera.card_fault = None
        _go_on(camera, lambda: _begin(camera))


def _begin(camera):
    if camera.wiper is not None:
        camera.wiper.carry_on()
    recover(camera)
    camera.open_log()


def film(camera) -> None:
    """The record button: the evidence that is made now comes before any docking, any replay and a trial."""
    if camera.wearer is not None:
        camera.wearer.leave()
    undock(camera)
    if camera.lists is not None:
        camera.lists.end_trial()
    camera.check_may_record()
    if camera.recorder is None:
        raise OutOfOrder
    camera.recorder.start()


def take_out(camera) -> None:
    """The card is out: nothing may be written to one that comes back as another."""
    card, recorder = camera.card, camera.recorder
    if card is None or not card.mounted:
        return
    card.taken_out()
    if recorder.recording:
        recorder.give_up(NoCard())
    camera.logbook.give_up(NoCard())
    card.unmount()
    camera.card_fault = NoCard
    camera.pool.drop()
    try:
        camera.logbook.note(usagelog.CARD, 0, 0, card.serial)
    except SealcamError as fault:
        camera.fault = type(fault)


def power_off(camera) -> None:
    """In order: end what is open, close the log, let go of the card."""
    if camera.recorder is None:
        return
    if camera.fault is not None:
        camera.card.unmount()  # nothing can be written down any more
        return
    if camera.recorder.recording:
        camera.recorder.stop(REASON_POWER_DOWN)
    camera.logbook.note(usagelog.POWER_DOWN, REASON_POWER_DOWN)
    camera.logbook.close(REASON_POWER_DOWN)
    camera.pool.drop()
    camera.card.unmount()


def restart(camera) -> None:
    """In order, as far as it goes; a camera that fails is started again all the same."""
    try:
        power_off(camera)
    except SealcamError as fault:
        camera.say("- not in order: %s" % type(fault).__name__)
    camera.board.restart()
