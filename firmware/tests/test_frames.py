"""Frames of the dock line against docs/dock-protocol.md, section 1; the cases run on MicroPython as well."""

import wire_cases


def test_rule_d1_a_reader_skips_to_the_next_head_whatever_stands_before_it():
    wire_cases.heads_out_of_bounds()
    wire_cases.every_flip()


def test_any_split_of_the_stream_gives_the_same_frames():
    wire_cases.every_split()


def test_rule_d2_a_reader_holds_one_frame_and_takes_no_byte_behind_it():
    wire_cases.no_more_than_one()


def test_noise_without_an_end_holds_nobody_up():
    wire_cases.shouting_is_bounded()
    wire_cases.looking_through_is_bounded()


def test_rule_d3_an_open_frame_whose_checksum_fails_is_dropped_without_a_word():
    broken = wire_cases.open_frame(wire_cases.WHO)
    broken[-1] ^= 0xFF

    assert wire_cases.read_all((broken, wire_cases.open_frame(b"next"))) == [(1, b"next")]


def test_rule_d4_a_frame_that_stays_incomplete_for_a_second_is_given_up_and_looked_through():
    wire_cases.given_up_in_silence()
    wire_cases.found_again_after_silence()


def test_the_cases_hold_on_a_real_machine(machine):
    held = machine("import wire_cases\nprint(wire_cases.run_all())")

    assert int(held) == len(wire_cases.FRAMES) + len(wire_cases.SESSIONS)


def test_a_silent_line_costs_a_camera_that_films_no_memory(machine):
    script = """
import gc
from sealcam.frames import Reader
class Silent:
    def read_into(self, view):
        return 0
def asked(reader, line):
    before = gc.mem_alloc()
    for now in range(100):
        reader.poll(line, now)
    return gc.mem_alloc() - before
gc.disable()
print(asked(Reader(), Silent()))
"""
    assert machine(script) == "0\n"
