"""The state table: from what the camera is to what a person sees and hears (docs/lamps.md).

Rules only: no pin, no sound; a board turns a colour, a rhythm and a tone into its own. The first line of the
table whose state holds is the look; there is always one.
"""

FAULT, ALARM, CARD_FULL, NO_CARD, RECORDING, MUTED, LOW_ROOM, DOCKED, ASKS_PIN, REPLAYING, TRIAL = [
    1 << bit for bit in range(11)
]
UP, DOWN, LEFT, RIGHT, OK, RECORD = "up", "down", "left", "right", "ok", "record"
BUTTONS = (UP, DOWN, LEFT, RIGHT, OK, RECORD)  # what a person can press; a board has them all, or no replay
STEADY, BLINKS, FLASHES = "steady", "blinks", "flashes"  # on; half and half; short and far between
NONE, TICK, LONG, TWICE = "silent", "tick", "long", "twice"
VERIFYING, STORED_TWICE, WIPED, SAFE_TO_TAKE, KEEP, LEAVE_HERE = range(1, 7)

_DOCK = (  # by the dock's word, which counts while the camera is docked
    ("blue", FLASHES, NONE, "docked"),
    ("blue", BLINKS, NONE, "verifying"),
    ("blue", STEADY, NONE, "stored twice"),
    ("green", BLINKS, NONE, "wiped"),
    ("green", STEADY, TWICE, "safe to take"),
    ("red", BLINKS, LONG, "keep: see the evidence office"),
    ("yellow", STEADY, TWICE, "leave here: waiting for the vault"),
)
_TABLE = (  # the state that must hold, and the look
    (FAULT, ("red", STEADY, LONG, "refuses to record")),
    (RECORDING | MUTED, ("magenta", BLINKS, TICK, "recording, no sound")),
    (RECORDING | LOW_ROOM, ("yellow", BLINKS, TWICE, "recording, little room on the card")),
    (RECORDING, ("green", BLINKS, TICK, "recording")),
    (CARD_FULL, ("red", STEADY, LONG, "the card is full")),
    (NO_CARD, ("red", BLINKS, LONG, "no card")),
    (ALARM, ("red", FLASHES, LONG, "alarm: see the evidence office")),
    (REPLAYING, ("white", STEADY, NONE, "replay")),
    (ASKS_PIN, ("white", BLINKS, NONE, "choose a PIN")),
    (LOW_ROOM, ("yellow", STEADY, NONE, "ready, little room on the card")),
    (TRIAL, ("green", FLASHES, NONE, "in enrolment: nothing counts yet")),
    (0, ("green", STEADY, NONE, "ready")),
)


def look(state: int, dock: int = 0) -> tuple:
    """(colour, rhythm, tone, words) of a state; `dock` is the dock's last word, 0 none.

    What keeps a camera from recording is red whatever else it is, and its tone is heard. A camera that is
    docked shows the dock's word, but for a fault of its own.
    """
    if state & DOCKED and not state & FAULT:
        return _DOCK[dock if 0 <= dock < len(_DOCK) else 0]
    for needed, shown in _TABLE:
        if state & needed == needed:
            return shown
    raise ValueError  # the last line holds for every state


def state_of(camera) -> int:
    """What the camera is, from the parts that know it."""
    state = FAULT if camera.fault is not None else 0
    state |= ALARM if camera.alarms else 0
    state |= DOCKED if camera.docked else 0
    if state & FAULT:
        return state
    state |= _of_card(camera) | (0 if camera.drilled else TRIAL)
    if camera.recorder is not None and camera.recorder.recording:
        return state | RECORDING | (MUTED if camera.recorder.muted else 0)
    if camera.replay.state is not None:
        state |= REPLAYING
    return state | (ASKS_PIN if camera.gate.asks else 0)


def _of_card(camera):
    if camera.card_fault is not None:
        return _BY_FAULT.get(camera.card_fault.__name__, FAULT)
    return LOW_ROOM if camera.recorder is not None and camera.recorder.has_little_room() else 0


_BY_FAULT = {"CardFull": CARD_FULL, "NoCard": NO_CARD, "JournalFull": CARD_FULL}
