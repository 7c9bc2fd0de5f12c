"""The cable comes out at random bytes of a whole docking: a hundred of them, sampled as the cuts are."""

import random

import sampling
from test_dock import film, verdicts

POINTS, CHUNKS = 100, 2
COSTLY = 4  # a docking on an emulated board, for each point


def points_of(size, target):
    """Bytes of a docking, the same each time."""
    draw = random.Random(target)
    first, every = sampling.share(COSTLY)
    return [draw.randrange(1, size) for _ in range(POINTS)][first % min(every, POINTS) :: every]


def test_a_docking_whose_cable_is_pulled_at_random_bytes_ends_the_same(camera, power, dock, target):
    """Proves promise 4."""
    film(camera, CHUNKS)
    before = power.camera.cable.passed
    assert set(verdicts(dock.run("dock", power.port))) == {("intact", "wiped")}
    size = power.camera.cable.passed - before

    for point in points_of(size, target):
        film(camera, CHUNKS)
        with power.pulled_after(point):
            docked = dock.run("dock", power.port)
        assert set(verdicts(docked)) == {("intact", "wiped")}, point

    assert not verdicts(dock.run("dock", power.port))
