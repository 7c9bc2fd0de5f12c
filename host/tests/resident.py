"""The most memory this process ever had resident, and nothing of the one that started it."""

from pathlib import Path


def peak_kib() -> int:
    """In KiB. Linux counts `ru_maxrss` on across exec: there a child has at least the peak of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
