"""The card driver against a model of a card that rejects, stays busy, says nothing, lies and is pulled."""

import errno
import random

import pytest
from drivers.sdspi import SdCard
from model_sd_card import ModelCard
from sealcam.proven import ProvenBlocks


def driver(card, **options):
    return SdCard(card, card.cs, card.ticks_ms, **options)


def met(**options):
    """A model of 1,024 blocks, its driver, and that driver has met it."""
    card = ModelCard(1024, **options)
    blocks = driver(card)
    blocks.init()
    return card, blocks


def block_of(number, count=1):
    return b"".join(bytes([number + at & 0xFF, at]) * 256 for at in range(count))


def refused(call, *arguments):
    """The number of the OSError it raises."""
    with pytest.raises(OSError) as caught:
        call(*arguments)
    return caught.value.args[0]


KINDS = {
    "high capacity": {},
    "standard": {"high_capacity": False},
    "version 1": {"high_capacity": False, "old": True},
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_of_card_is_met_slowly_then_used_fast(kind):
    card, blocks = met(**kind)

    assert (blocks.ioctl(4, 0), blocks.ioctl(5, 0)) == (1024, 512)
    assert blocks.cid == card.cid
    assert card.speeds == [400000, 20000000]
    assert card.crc_on


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_was_written_is_read_in_any_mixture_of_sizes(kind):
    card, blocks = met(**kind)
    dice, truth = random.Random(1), {}

    for turn in range(200):
        count, first = dice.choice((1, 1, 2, 5, 32)), dice.randrange(900)
        if dice.random() < 0.5:
            content = block_of(turn, count)
            assert blocks.writeblocks(first, content) == 0
            truth.update({first + at: content[at * 512 : at * 512 + 512] for at in range(count)})
        else:
            found = bytearray(count * 512)
            assert blocks.readblocks(first, found) == 0
            assert found == b"".join(truth.get(first + at, bytes(512)) for at in range(count))
    assert card.blocks == truth
    assert card.wrong_crcs_seen == 0


@pytest.mark.promise4
@pytest.mark.parametrize("response", [0x0B, 0x0D, 0x00, 0x1E])
@pytest.mark.parametrize("at", [0, 1, 6, 7])
def test_every_rejected_block_is_reported_wherever_it_stands(at, response):
    """Proves promise 4: a write that the card refused never looks like one that it took."""
    card, blocks = met()
    card.reject = {100 + at: response}

    assert refused(blocks.writeblocks, 100, block_of(1, 8)) == errno.EIO
    assert 100 + at not in card.blocks


@pytest.mark.parametrize("count", [1, 8])
def test_after_a_rejected_block_the_next_write_goes_through(count):
    card, blocks = met()
    card.reject = {100: 0x0D}
    refused(blocks.writeblocks, 100, block_of(1, count))

    assert blocks.writeblocks(100, block_of(2, count)) == 0
    assert card.blocks[100] == block_of(2, count)[:512]


@pytest.mark.promise4
def test_a_block_rejected_once_costs_no_recording():
    card, blocks = met()
    proven = ProvenBlocks(blocks)
    card.reject = {103: 0x0B}

    assert proven.writeblocks(100, block_of(1, 32)) == 0
    assert not proven.dead and card.blocks[131] == block_of(1, 32)[-512:]


@pytest.mark.promise4
@pytest.mark.parametrize("count", [1, 8])
def test_what_the_card_says_afterwards_is_asked_and_reported_once(count):
    card, blocks = met()
    card.status = 0x04  # card ECC failed

    assert refused(blocks.writeblocks, 100, block_of(1, count)) == errno.EIO
    assert blocks.writeblocks(100, block_of(1, count)) == 0


@pytest.mark.parametrize("count", [1, 8])
def test_a_card_that_stays_busy_is_given_up(count):
    card, blocks = met()
    card.busy_for_ever = True

    assert refused(blocks.writeblocks, 100, block_of(1, count)) == errno.ETIMEDOUT
    card.busy_for_ever = False
    assert refused(blocks.writeblocks, 100, block_of(1)) == errno.ENODEV
    assert blocks.readblocks(100, bytearray(512)) == 0
    assert blocks.writeblocks(100, block_of(1)) == 0


def test_an_empty_slot_is_no_card_and_no_blocks():
    card = ModelCard()
    card.gone = True
    blocks = driver(card)

    assert refused(blocks.init) == errno.ENODEV
    assert refused(blocks.readblocks, 0, bytearray(512)) == errno.ENODEV
    assert refused(blocks.writeblocks, 0, bytes(512)) == errno.ENODEV
    assert blocks.ioctl(4, 0) == 0


def test_a_card_that_never_wakes_up_is_given_up():
    card = ModelCard()
    card.unwell = True

    assert refused(driver(card).init) == errno.ETIMEDOUT


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("token", [0x01, 0x04, 0x0F, 0x7F])
def test_another_token_than_a_block_is_a_failed_read(token, count):
    card, blocks = met()
    card.read_token = token

    assert refused(blocks.readblocks, 100, bytearray(512 * count)) == errno.EIO
    card.read_token = None
    assert blocks.readblocks(100, bytearray(512 * count)) == 0


@pytest.mark.parametrize("count", [1, 8])
def test_a_read_without_a_token_is_given_up(count):
    card, blocks = met()
    card.mute_reads = True

    assert refused(blocks.readblocks, 100, bytearray(512 * count)) == errno.ETIMEDOUT


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize(("bad", "heals"), [(1, True), (2, True), (30, False)])
def test_a_block_with_a_wrong_crc_is_read_again_and_never_believed(bad, heals, count):
    card, blocks = met()
    blocks.writeblocks(100, block_of(7, count))
    card.bad_crcs = bad
    found = bytearray(512 * count)

    if heals:
        assert blocks.readblocks(100, found) == 0
        assert found == block_of(7, count)
    else:
        assert refused(blocks.readblocks, 100, found) == errno.EIO


@pytest.mark.promise4
@pytest.mark.parametrize("count", [1, 3])
def test_a_card_pulled_at_any_byte_of_a_write_is_reported_or_has_it_all(count):
    """Proves promise 4: the write says that it is done only where every block is on the card."""
    _, blocks = met()
    card = blocks._spi
    began = card.clocked
    blocks.writeblocks(100, block_of(1, count))
    length = card.clocked - began

    for after in range(0, length, 7):
        card, blocks = met()
        card.gone_after = after
        try:
            blocks.writeblocks(100, block_of(2, count))
        except OSError:
            continue
        assert [card.blocks.get(100 + at) for at in range(count)] == [
            block_of(2, count)[at * 512 : at * 512 + 512] for at in range(count)
        ]


@pytest.mark.parametrize("after", [3, 200, 700, 1200])
def test_a_card_pulled_in_mid_read_is_met_again_when_it_is_back(after):
    card, blocks = met()
    blocks.writeblocks(100, block_of(5, 4))
    card.gone_after = after
    found = bytearray(2048)
    refused(blocks.readblocks, 100, found)

    card.gone = False
    card.plug()

    assert blocks.readblocks(100, found) == 0
    assert found == block_of(5, 4)


def test_another_card_in_the_slot_is_refused_for_good():
    card, blocks = met()
    card.cid = b"model card 00002"
    card.plug()

    assert refused(blocks.writeblocks, 100, block_of(1)) in (errno.EIO, errno.ENODEV)
    for _ in range(3):
        assert refused(blocks.readblocks, 100, bytearray(512)) == errno.ENODEV
        assert refused(blocks.writeblocks, 100, block_of(1)) == errno.ENODEV
    assert card.blocks == {}
    assert driver(card).readblocks(100, bytearray(512)) == 0


def test_a_write_is_never_the_first_to_meet_a_card():
    card = ModelCard()

    assert refused(driver(card).writeblocks, 0, block_of(1)) == errno.ENODEV
    assert card.blocks == {}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_erasing_lets_go_of_these_blocks_and_no_other(kind):
    card, blocks = met(**kind)
    blocks.writeblocks(100, block_of(1, 8))

    blocks.erase_blocks(102, 4)

    assert sorted(card.blocks) == [100, 101, 106, 107]


@pytest.mark.parametrize(("first", "count"), [(0, 0), (-1, 4), (1020, 5), (1024, 1)])
def test_nothing_outside_the_card_is_erased(first, count):
    card, blocks = met()

    assert refused(blocks.erase_blocks, first, count) == errno.EINVAL
    assert not {32, 33, 38} & {command for command, _ in card.commands}


def test_a_card_that_cannot_erase_says_so():
    card = ModelCard(1024)
    card.can_erase = False
    blocks = driver(card)
    blocks.init()

    assert refused(blocks.erase_blocks, 0, 8) == errno.EINVAL


@pytest.mark.parametrize(("first", "size"), [(1024, 512), (1023, 1024), (-1, 512), (0, 0), (0, 500)])
def test_what_is_no_block_of_this_card_never_reaches_it(first, size):
    card, blocks = met()
    before = len(card.commands)

    assert refused(blocks.readblocks, first, bytearray(size)) == errno.EINVAL
    assert refused(blocks.writeblocks, first, bytes(size)) == errno.EINVAL
    assert len(card.commands) == before
