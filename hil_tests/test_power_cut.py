"""The supply goes while it records: one chunk at most, and the camera says so itself."""

from bench.camera import State


def test_power_cut_while_recording_costs_one_chunk_at_most(camera, power, cardmux, dock):
    """Proves UA-5."""
    camera.reach(State.RECORDING)
    camera.wait("chunks 12")

    power.off()
    shown = dock.run("verify", cardmux.to_host(), codes=(0, 21))["recordings"]
    cut = [r for r in shown if r["verdict"] == "cut_short" and r["files"][0].endswith(".skr")]

    assert len(cut) == 1
    assert cut[0]["last_index"] >= 11
    assert not [r for r in shown if r["verdict"] not in ("intact", "cut_short")]


def test_power_cut_at_a_random_moment_leaves_a_camera_that_records_on(camera, power, cardmux, dock):
    camera.reach(State.RECORDING)

    power.cut_after_ms(150)
    power.wait_off()
    camera.reach(State.IDLE)
    camera.press("record")
    camera.wait("chunks 4")
    camera.press("stop")
    camera.press("power off")
    shown = dock.run("verify", cardmux.to_host(), codes=(0, 21))["recordings"]

    assert {r["verdict"] for r in shown} <= {"intact", "cut_short"}
    assert shown[-1]["verdict"] == "intact" or any(r["verdict"] == "intact" for r in shown)
