# Frozen modules of every emulated board: files of the host, the camera on its console, the firmware itself.
import os

module("semihost.py", base_path="..")
module("attend.py", base_path="..")
module("screen.py", base_path="..")
module("reel.py", base_path="../../unix")
module("boot_choice.py", base_path="../../../firmware", opt=1)
module("main.py", base_path="../../../firmware", opt=1)
module("console.py", base_path="../../../firmware", opt=1)
package("drivers", base_path="../../../firmware", opt=1)
if os.path.exists("../../../firmware/manifest.py"):
    include("../../../firmware/manifest.py")
else:
    package("sealcam", base_path="../../../firmware")
