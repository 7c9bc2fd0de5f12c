# This board's frozen modules: its own, and the firmware's once there is a firmware/manifest.py.
import os

module("board.py")
module("semihost.py")
if os.path.exists("../../firmware/manifest.py"):
    include("../../firmware/manifest.py")
