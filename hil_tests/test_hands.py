"""Into an officer's hands and back, and a key that changes under a camera: by the commands a person types."""

from bench.camera import State
from test_dock import film, verdicts


def test_an_issue_is_the_officers_until_the_camera_is_docked(camera, power, dock):
    """Proves BW-10."""
    camera.reach(State.IDLE)
    made = dock.run("issue", "--pool", "--to", "4711", "--until", "+8h", "--port", power.port)
    assert [out["officer"] for out in dock.run("issue", "ls")["issues"]] == ["4711"]
    dock.run("issue", made["camera"][:8], "--to", "4712", "--until", "+8h", "--port", power.port, codes=(3,))
    film(camera)

    dock.run("dock", power.port)

    assert dock.run("issue", "ls")["issues"] == []
    told = [(entry["event"], entry["detail"]["issue"]) for entry in issues(dock)]
    assert told == [("camera.issued", made["issue"]), ("camera.returned", made["issue"])]


def issues(dock):
    """What custody says of hands."""
    entries = dock.run("custody", "show")["entries"]
    return [entry for entry in entries if entry["event"] in ("camera.issued", "camera.returned")]


def test_a_new_key_list_is_sealed_for_only_after_its_trial_was_opened_twice(camera, power, dock):
    """Proves BK-4: the opening drill, from the change to the camera; link and receipt keys change too."""
    camera.reach(State.IDLE)
    for role in ("link", "receipt", "evidence"):
        newest = dock.run("key", "change", role)["version"]
    dock.run("dock", power.port)
    for _ in range(20):
        camera.wait("idle")  # it has made its trial by then, or makes it after the next docking
        film(camera, 2)
        before = dock.run("dock", power.port)
        if dock.run("key", "drill", "--dry-run")["waiting"]:
            break

    assert dock.run("key", "drill")["opened"] == 1
    assert "drilled 1" in camera.press("status")
    dock.run("dock", power.port)
    assert f"drilled {newest}" in camera.press("status")
    film(camera, 2)
    after = dock.run("dock", power.port)

    assert set(verdicts(before)) == set(verdicts(after)) == {("intact", "wiped")}
    assert sealed_for(dock, before) == {1, newest}  # what was filmed, and the trial
    assert sealed_for(dock, after) == {newest}


def sealed_for(dock, docked):
    """The key lists of the recordings of one docking, as `show` tells them."""
    names = [found["name"] for found in docked["recordings"] if found["kind"] == "recording"]
    return {dock.run("show", name)["keylist"] for name in names}
