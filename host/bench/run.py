"""The ratios of the host against its ceilings, into `build/bench.json`; `ONLY=name` for one of them.

What a wall clock measures runs as seven alternating pairs after `sync`; the value is the median of the pair
ratios.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ceiling

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "host"))

from sealhost import keys, layout, seal, verify  # noqa: E402 - the package may not be installed
from sealhost.reader import file_part  # noqa: E402
from sealhost.records import Verdict  # noqa: E402

PAIRS = 7
BYTES = int(os.environ.get("BENCH_BYTES", 256 << 20))
Pair = Callable[[], tuple[float, float]]


def sealed_file(folder: Path, device: keys.SoftKey, vault: keys.SoftKey) -> Path:
    """A recording of BENCH_BYTES in one part, chunks of 16 KiB, a signature every 200."""
    path = folder / "bench.skr"
    with open(path, "wb") as file:
        writer = seal.begin(device, [(layout.ROLE_VERIFY, vault.point)], emit=lambda chunk: None)
        writer.emit = file.write  # type: ignore[assignment]
        file.write(writer.head * 2)
        picture = os.urandom(writer.room - layout.RECORD_HEADER)
        while writer.index * writer.core.chunk_size < BYTES:
            writer.record(layout.TRACK_PICTURE, picture)
            if writer.index % 200 == 199:
                writer.sign()
        writer.end()
    return path


def pairs(measure: Pair) -> list[tuple[float, float]]:
    """(ours, ceiling) in seconds, alternating which goes first inside `measure`."""
    os.sync()
    measure()  # warm
    return [measure() for _ in range(PAIRS)]


def entry(ratios: list[float], bar: float, op: str, over: str, under: str) -> dict[str, object]:
    """One number a name, with its lowest and highest beside it."""
    return {
        "value": round(statistics.median(ratios), 4),
        "op": op,
        "bar": bar,
        "lowest": round(min(ratios), 4),
        "highest": round(max(ratios), 4),
        "over": over,
        "under": under,
        "unit": "wall clock",
        "runs": [round(ratio, 4) for ratio in ratios],
    }


def bench_verify(folder: Path) -> dict[str, dict[str, object]]:
    """host.verify_1core and host.verify_2core."""
    device, vault = keys.SoftKey.make(), keys.SoftKey.make(layout.ROLE_VERIFY)
    path = sealed_file(folder, device, vault)
    buffer = ceiling.read_whole(str(path))

    def ours(jobs: int) -> float:
        start = time.perf_counter()
        found = verify.judge([file_part(path)], [vault], device_point=lambda _: device.point, jobs=jobs)
        if found.verdict is not Verdict.INTACT:
            raise SystemExit(f"the bench recording is {found.verdict}: {found.reason}")
        return time.perf_counter() - start

    one = pairs(lambda: (ours(1), ceiling.hmac_seconds(buffer, 1)))
    two = pairs(
        lambda: (ours(1) / ours(2), ceiling.hmac_seconds(buffer, 1) / ceiling.hmac_seconds(buffer, 2))
    )
    bare, whole = "hmac.digest over the 16 KiB pieces in one buffer", "verify of the same warm file"
    return {
        "host.verify_1core": entry([bar / own for own, bar in one], 0.85, ">=", bare, whole),
        "host.verify_2core": entry(
            [own / bar for own, bar in two], 0.95, ">=", "speed-up of " + whole, "of " + bare
        ),
    }


BENCHES: dict[str, Callable[[Path], dict[str, dict[str, object]]]] = {"host.verify": bench_verify}


def merge(found: dict[str, dict[str, object]]) -> None:
    """Into the flat file, beside what other benches wrote; a cut leaves the old file."""
    target = ROOT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    known = json.loads(target.read_text()) if target.exists() else {}
    aside = target.with_suffix(".new")
    aside.write_text(json.dumps({**known, **found}, indent=2, sort_keys=True) + "\n")
    aside.replace(target)


def main() -> int:
    """Run what ONLY asks for, or all; 1 when a bar is not met."""
    only = os.environ.get("ONLY", "")
    missed = 0
    for name, bench in BENCHES.items():
        if only and not (only.startswith(name) or name.startswith(only)):
            continue
        with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
            found = bench(Path(folder))
        merge(found)
        for line, said in found.items():
            met = said["value"] >= said["bar"]  # type: ignore[operator]
            missed += not met
            print(
                f"{line}: {said['value']} ({said['lowest']}..{said['highest']}) {said['op']} {said['bar']}",
                "" if met else "MISSED",
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
