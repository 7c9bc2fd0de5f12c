"""`python -m sealhost` is the command `sealcam`."""

from sealhost.cli import main

if __name__ == "__main__":
    main()
