"""The card comes out while it records: it ends there, and the next card goes on."""

from bench.camera import State
from test_dock import film


def test_a_card_pulled_while_it_records_costs_one_chunk_at_most(camera, power, cardmux, dock):
    """Proves UA-5: the camera refuses to record until there is a card again, and films on it."""
    camera.reach(State.RECORDING)
    camera.wait("chunks 6")
    chunks = int(camera.press("status").split(",")[0].split()[-1])
    camera.pull_card()
    camera.wait("end")
    without = camera.press("record", refused=True)
    cardmux.to_camera()
    film(camera, 2)
    camera.press("power off")
    shown = dock.run("verify", cardmux.to_host(), codes=(0, 21))["recordings"]
    cut = [found for found in shown if found["verdict"] == "cut_short" and found["files"][0].endswith(".skr")]

    assert without.startswith(("0x30", "0x31"))
    assert len(cut) == 1
    assert cut[0]["last_index"] >= chunks - 1
    assert {found["verdict"] for found in shown} <= {"intact", "cut_short"}
