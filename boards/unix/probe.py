"""Runs inside a MicroPython just built: has it what the firmware needs? Says what is missing, and fails.

usage: probe.py stock|ctr
"""

import sys


def missing(kind):
    """What this interpreter lacks, by name."""
    for module, names in NEEDED:
        try:
            found = __import__(module)
        except ImportError:
            yield module
            continue
        for name in names:
            if not hasattr(found, name):
                yield module + "." + name
    if has_ctr() != (kind == "ctr"):
        yield "AES-CTR in cryptolib" if kind == "ctr" else "a cryptolib without AES-CTR"


NEEDED = (
    ("hashlib", ("sha256",)),
    ("os", ("urandom", "mount")),
    ("vfs", ("VfsFat", "VfsLfs2")),
    ("select", ("poll",)),
    ("time", ("ticks_ms", "ticks_us")),
    ("micropython", ("const", "mem_info")),
    ("uctypes", ("addressof",)),
    ("cryptolib", ("aes",)),
)


def has_ctr():
    """AES-CTR is mode 6 of `cryptolib.aes`; an image without it raises ValueError."""
    import cryptolib

    try:
        cryptolib.aes(bytes(32), 6, bytes(16))
    except ValueError:
        return False
    return True


lacking = list(missing(sys.argv[1]))
if lacking:
    print("setup: this MicroPython lacks " + ", ".join(lacking))
    sys.exit(1)
