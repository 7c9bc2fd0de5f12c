"""A wearer looks at their own footage behind a PIN, where the organisation allows it; nobody else does."""

import pytest
from bench import log
from bench.camera import State
from bench.log import KEY_ERASED, PIN_WRONG, REPLAY
from conftest import POLICY, enrol
from sealhost import founding
from test_dock import film

SOUND, MAY_REPLAY, ON_UNPROTECTED_FLASH = 1, 2, 4
PIN, OTHER_PIN, WRONG = "000001", "000010", "000000"  # few presses each
BLACK, WHITE = 0x0000, 0xFFFF
NUMBER_BOX = (8 * 6, 9)  # dots: eight letters, on black
WAITS_MS = (5000, 30000, 60000, 120000, 300000, 600000, 600000)  # after the third wrong try: replay.md, 3


@pytest.fixture(scope="session")
def enrolled(reel, tmp_path_factory):
    """The images of an organisation that allows replay."""
    folder = tmp_path_factory.mktemp("replaying")
    flags = SOUND | MAY_REPLAY | ON_UNPROTECTED_FLASH
    founding.init(folder / "home", demo=True, policy={**POLICY, "flags": flags})
    return enrol(folder, reel)


def hand_to(officer, camera, power, dock, pin):
    """By wire; the wearer chooses a PIN at once. The camera's name."""
    made = dock.run("issue", "--pool", "--to", officer, "--until", "+300d", "--port", power.port)
    camera.type_pin(pin)
    camera.type_pin(pin)
    return made["camera"]


def events(power, dock):
    """What the camera's log says of the gate, once it is docked."""
    dock.run("dock", power.port)
    return log.told(dock, REPLAY, PIN_WRONG, KEY_ERASED)


def is_picture(frame):
    """Words are white on black."""
    return len(set(frame.pixels)) > 100


def first_picture(camera):
    """Of the recording that is chosen."""
    camera.press("press ok")
    for _ in range(300):
        if is_picture(frame := camera.frame()):
            return frame
    raise AssertionError("no picture is shown")


def test_footage_is_shown_behind_the_pin_of_the_wearer_who_filmed_it_and_of_no_other(
    camera, power, dock, glass
):
    """Proves BW-10, BW-12."""
    camera.reach(State.IDLE)
    name = hand_to("4711", camera, power, dock, PIN)
    film(camera, 20)
    camera.type_pin(WRONG)
    shut = camera.frame()
    camera.type_pin(PIN)
    picture = first_picture(camera)
    dock.run("return", name, "--port", power.port)
    hand_to("4712", camera, power, dock, OTHER_PIN)
    camera.type_pin(OTHER_PIN)
    camera.press("press ok")
    camera.wait("replayed")
    strange = camera.frame()

    assert picture.corner(*NUMBER_BOX) == {BLACK, WHITE}
    assert not is_picture(shut)
    assert not is_picture(strange)
    replayed = [(REPLAY, 1), (REPLAY, 0)]
    wanted = [(PIN_WRONG, 1), *replayed, (KEY_ERASED, 0), (REPLAY, 1), (KEY_ERASED, 0)]
    assert events(power, dock) == wanted


def test_tries_are_counted_over_a_restart_and_the_tenth_shuts_replay_until_the_next_issue(
    camera, power, dock, glass
):
    """Proves BW-10: the waits pass on a clock that runs ahead."""
    power.fast = True
    camera.reach(State.IDLE)
    hand_to("4711", camera, power, dock, PIN)
    camera.type_pin(WRONG)
    camera.type_pin(WRONG)
    power.cycle()
    camera.type_pin(WRONG)
    camera.type_pin(WRONG)  # too early: refused, and not counted
    for wait_ms in WAITS_MS:
        camera.wait(f"ms {wait_ms}")
        camera.type_pin(WRONG)
    camera.type_pin(PIN)

    assert events(power, dock) == [*((PIN_WRONG, number) for number in range(1, 11)), (KEY_ERASED, 0)]


def test_docking_shuts_replay(camera, power, dock, glass):
    """Proves BW-10."""
    camera.reach(State.IDLE)
    hand_to("4711", camera, power, dock, PIN)
    film(camera)
    camera.type_pin(PIN)
    dock.run("dock", power.port)
    camera.type_pin(PIN)

    assert events(power, dock) == [(REPLAY, 1), (KEY_ERASED, 0)]
