"""What the dock writes by itself, for the power tests: docked in mid-film, the clock set, undocked."""

from sealcam import crypto


def dock(bench, faults):
    """Docked while it films; the hour is told; undocked, it begins the next log segment and films."""
    camera = bench.start(faults)
    camera.check_may_record()
    camera.recorder.start()
    for _ in range(20):
        if not camera.step():
            camera.board.idle(camera)
    for _ in range(2):  # a host whose answer was lost asks again
        camera.dock_down()
        camera.check_sound()
    now = camera.clock.utc_ms() + 60000
    camera.clock.accept(now, crypto.sha256(b"a statement"), camera.clock.board_ms())
    camera.undock()
    for _ in range(30):
        camera.step() or camera.board.idle(camera)
    camera.power_off()
    return camera
