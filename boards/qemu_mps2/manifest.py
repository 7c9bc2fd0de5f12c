# This board's frozen modules: its own, and what every emulated board has.
module("board.py")
module("uart.py")
include("shared/manifest.py")
