"""The folder through which a camera and its host exchange files at enrolment.

Every file is written under another name and renamed; a reader never meets half of one. Knows names and sizes,
never what the files say.
"""

import os

from sealcam.errors import FormatFault

_ENOENT = 2
_LONGEST = 65536


class Exchange:
    """`path` is a folder that exists; a camera that enrols at a desk is told it."""

    def __init__(self, path: str):
        self._path = path

    def has(self, name: str) -> bool:
        try:
            os.stat(self._path + "/" + name)
        except OSError as fault:
            if fault.args[0] == _ENOENT:
                return False
            raise
        return True

    def read(self, name: str) -> "bytes | None":
        """The whole file, None if there is none; FormatFault if it is longer than any of ours."""
        if not self.has(name):
            return None
        with open(self._path + "/" + name, "rb") as file:
            content = file.read(_LONGEST + 1)
        if len(content) > _LONGEST:
            raise FormatFault
        return content

    def write(self, name: str, pieces) -> None:
        """Write what `pieces` yields under another name, then rename. A cut leaves the other name, or all of
        it.
        """
        aside = self._path + "/." + name
        with open(aside, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
        os.rename(aside, self._path + "/" + name)
