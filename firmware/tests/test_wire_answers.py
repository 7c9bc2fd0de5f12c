"""The dock line's vectors, on CPython and on both MicroPython images."""

import wire_answers

FRAMES = 6 * 3 + 3 + 1


def test_frames_and_sessions_are_those_of_the_page_on_cpython(root):
    assert wire_answers.run(str(root / "docs" / "vectors")) == FRAMES


def test_frames_and_sessions_are_those_of_the_page_on_a_real_micropython(root, machine):
    printed = machine(f"import wire_answers\nprint(wire_answers.run({str(root / 'docs' / 'vectors')!r}))")

    assert int(printed) == FRAMES
