# This board's frozen modules: its own, and the firmware's as firmware/manifest.py names them.
import os

module("board.py")
module("semihost.py")
if os.path.exists("../../firmware/manifest.py"):
    include("../../firmware/manifest.py")
else:
    package("sealcam", base_path="../../firmware")
