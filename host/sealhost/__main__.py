"""The command `sealcam`, and `python -m sealhost`: loads the doors, and is stopped without a trace while it
does.
"""

import sys


def main() -> None:
    """Run one command and leave with its exit code."""
    try:
        from sealhost.cli import run

        sys.exit(run())
    except KeyboardInterrupt:
        sys.stderr.write("sealcam: stopped\n         run the same command again to go on\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
