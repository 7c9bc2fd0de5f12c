"""What every card must do: the memory card under CPython, and the real edge over FAT on a real MicroPython.

`make(**faults)` gives a mounted card with some 200 KiB of room. Prints nothing; a rule that does not hold
raises.
"""

from sealcam.errors import CardFault, CardFull

HEAD = memoryview(bytes(range(256)) * 8)
CHUNK = memoryview(b"chunk of sealed bytes, 32 a row " * 16)


def refuses(fault, call, *arguments):
    try:
        call(*arguments)
    except fault:
        return
    raise AssertionError("not refused")


def check_a_part_has_its_heads_and_its_size_at_once(make):
    card = make()
    part = card.allocate("ready-1.skr", 16384, HEAD)
    part.close()
    assert card.list() == ["ready-1.skr"] and card.size_of("ready-1.skr") == 16384
    part, copy = card.open("ready-1.skr"), bytearray(2048)
    for at in (0, 2048):
        assert part.read_at(at, copy) == 2048 and copy == HEAD
    part.close()


def check_chunks_follow_the_heads_and_come_back(make):
    card = make()
    part = card.allocate("a.skr", 8192, HEAD)
    for _ in range(8):
        part.write(CHUNK)
    part.close()
    part, copy = card.open("a.skr"), bytearray(512)
    for at in range(4096, 8192, 512):
        assert part.read_at(at, copy) == 512 and copy == CHUNK
    part.close()


def check_a_head_is_written_over_in_place(make):
    card = make()
    part = card.allocate("a.skr", 8192, HEAD)
    part.write_at(0, CHUNK)
    part.write_at(2048, CHUNK)
    part.seek(4096)
    part.write(CHUNK)
    copy = bytearray(512)
    for at, expected in ((0, CHUNK), (512, HEAD[512:1024]), (2048, CHUNK), (4096, CHUNK)):
        assert part.read_at(at, copy) == 512 and copy == expected
    part.close()


def check_names_change_and_go(make):
    card = make()
    for name in ("ready-1.skr", "ready-2.skl"):
        card.allocate(name, 4096, HEAD).close()
    card.rename("ready-1.skr", "0123456789abcdef-0000000001-0000.skr")
    card.remove("ready-2.skl")
    assert card.list() == ["0123456789abcdef-0000000001-0000.skr"]
    refuses(CardFault, card.size_of, "ready-1.skr")


def check_no_name_is_taken_from_a_file_that_is_there(make):
    card, kept = make(), bytearray(2048)
    for name in ("a.skr", "b.skr"):
        card.allocate(name, 4096, HEAD if name == "a.skr" else CHUNK[:512]).close()
    assert card.has("a.skr") and not card.has("c.skr")
    refuses(CardFault, card.rename, "b.skr", "a.skr")
    refuses(CardFault, card.allocate, "a.skr", 4096, CHUNK)
    assert card.size_of("a.skr") == 4096
    card.open("a.skr").read_at(0, kept)
    assert kept == HEAD and sorted(card.list()) == ["a.skr", "b.skr"]


def check_a_full_card_says_so_and_leaves_no_half_part(make):
    card = make()
    names = []
    try:
        for number in range(100):
            card.allocate("part-%d.skr" % number, 65536, HEAD).close()
            names.append("part-%d.skr" % number)
    except CardFull:
        pass
    assert 0 < len(names) < 100
    assert sorted(card.list()) == sorted(names)
    assert not card.has_room(65536)


def check_a_failing_write_kills_the_card(make):
    for at in (1, 2, 3, 4, 5):
        card = make(fails_at=at)
        try:
            part = card.allocate("a.skr", 8192, HEAD)
            for _ in range(8):
                part.write(CHUNK)
            raise AssertionError("not noticed")
        except CardFault:
            assert card.dead
        refuses(CardFault, card.allocate, "b.skr", 8192, HEAD)


def check_a_lost_write_kills_the_card(make):
    for at in (4, 5, 6):
        card = make(loses_at=at)
        try:
            part = card.allocate("a.skr", 8192, HEAD)
            for _ in range(8):
                part.write(CHUNK)
            raise AssertionError("not noticed")
        except CardFault:
            assert card.dead


CHECKS = (
    check_a_part_has_its_heads_and_its_size_at_once,
    check_chunks_follow_the_heads_and_come_back,
    check_a_head_is_written_over_in_place,
    check_names_change_and_go,
    check_no_name_is_taken_from_a_file_that_is_there,
    check_a_full_card_says_so_and_leaves_no_half_part,
    check_a_failing_write_kills_the_card,
    check_a_lost_write_kills_the_card,
)
