# This board's frozen modules: its own, what it shares with the other emulated board, and the firmware.
module("board.py")
module("uart.py")
module("spi.py")
include("../qemu_mps2/shared/manifest.py")
