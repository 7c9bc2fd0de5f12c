"""Share the positions of a recording over processes; the seams are checked by whoever puts the runs together.

A process is given parts, a core and the MAC key and answers with runs. It never opens a slot.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection

from sealhost.errors import CardUnreadable, SealcamError
from sealhost.records import Core, Part
from sealhost.verify.chunks import Found, Scanner

Stretch = tuple[Part, int, int]  # part, first position, position after the last


def scan(
    stretches: Sequence[Stretch],
    core: Core,
    k_mac: bytes,
    jobs: int,
    progress: Callable[[int], None] | None = None,
) -> list[Found]:
    """What every stretch proves, in their order; this process takes the first share itself."""
    shares = [share for share in split(stretches, jobs) if share]
    if not shares:
        return []
    helpers = [_start([stretches_of for _, stretches_of in share], core, k_mac) for share in shares[1:]]
    results: list[list[Found]] = []
    try:
        first = [_scan_one(Scanner(core, k_mac), stretch, progress) for _, stretch in shares[0]]
        results = [
            first,
            *[
                _answer(pipe, share, progress, core)
                for (_, pipe), share in zip(helpers, shares[1:], strict=True)
            ],
        ]
    finally:
        for process, pipe in helpers:
            pipe.close()
            if len(results) != len(shares):
                process.kill()
            process.join()
    return _together(len(stretches), shares, results)


def split(stretches: Sequence[Stretch], jobs: int) -> list[list[tuple[int, Stretch]]]:
    """Cut the positions into `jobs` shares of one size; each piece keeps the number of its stretch."""
    total = sum(stop - start for _, start, stop in stretches)
    each = max(1, -(-total // max(1, jobs)))
    shares: list[list[tuple[int, Stretch]]] = [[]]
    room = each
    for number, (part, start, stop) in enumerate(stretches):
        while start < stop:
            if not room:
                shares.append([])
                room = each
            piece = min(room, stop - start)
            shares[-1].append((number, (part, start, start + piece)))
            start, room = start + piece, room - piece
    return shares


def _scan_one(scanner: Scanner, stretch: Stretch, progress: Callable[[int], None] | None) -> Found:
    return scanner.scan(*stretch, None, progress)


def _start(share: list[Stretch], core: Core, k_mac: bytes) -> tuple[multiprocessing.Process, Connection]:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_work, args=(theirs, share, core, k_mac), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _work(pipe: Connection, share: list[Stretch], core: Core, k_mac: bytes) -> None:
    scanner = Scanner(core, k_mac)
    try:
        pipe.send([_scan_one(scanner, stretch, None) for stretch in share])
    except SealcamError as trouble:
        pipe.send(trouble)


def _answer(
    pipe: Connection, share: list[tuple[int, Stretch]], progress: Callable[[int], None] | None, core: Core
) -> list[Found]:
    try:
        answer = pipe.recv()
    except EOFError:
        raise CardUnreadable(share[0][1][0].name, "one share of it") from None  # the helper died over it
    if isinstance(answer, SealcamError):
        raise answer
    if progress is not None:
        progress(sum(stop - start for _, (_, start, stop) in share) * core.chunk_size)
    found: list[Found] = answer
    return found


def _together(
    count: int, shares: Sequence[Sequence[tuple[int, Stretch]]], results: Sequence[Sequence[Found]]
) -> list[Found]:
    whole = [Found() for _ in range(count)]
    for share, answers in zip(shares, results, strict=True):
        for (number, _), found in zip(share, answers, strict=True):
            whole[number].runs += found.runs
            whole[number].odd = whole[number].odd or found.odd
    return whole
