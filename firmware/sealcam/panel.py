"""Buttons, light, small screen.

Draws words and pictures into one frame, and takes presses. The wearer's issue number is drawn into every
picture and read back from the frame before the glass sees it. Decides nothing; decodes nothing: the board's
driver does.
"""

import framebuf

from sealcam import letters
from sealcam.errors import SourceFault
from sealcam.lamps import BUTTONS

_BLACK, _WHITE, _YELLOW, _KEY = 0x0000, 0xFFFF, 0xFFE0, 0xF81F
_MOST_WAITING = 16


class Panel:
    """`screen` has `width`, `height`, `decode(jpeg, frame) -> bool` (RGB565, the whole frame) and
    `show(frame)`; it raises OSError where the glass does not answer.
    """

    def __init__(self, screen):
        self._screen = screen
        self.width, self.height = screen.width, screen.height
        self.frame = memoryview(bytearray(2 * self.width * self.height))
        self.canvas = framebuf.FrameBuffer(self.frame, self.width, self.height, framebuf.RGB565)
        self.scale = max(1, self.width // 160)
        self._presses = []
        self._mark = self._marked = None

    def press(self, button: str) -> None:
        """A button went down; ValueError for one there is not. Presses nobody takes are forgotten."""
        if button not in BUTTONS:
            raise ValueError
        if len(self._presses) < _MOST_WAITING:
            self._presses.append(button)

    def take(self) -> "str | None":
        return self._presses.pop(0) if self._presses else None

    def words(self, lines: list) -> None:
        """A screen of words, broken where the glass ends; an empty line keeps its height."""
        self.canvas.fill(_BLACK)
        y, room = 4 * self.scale, self.width // (letters.STEP * self.scale) - 1
        for line in lines:
            for part in _broken(line, room):
                letters.draw(self.canvas, part, 3 * self.scale, y, _WHITE, self.scale)
                y += (letters.HIGH + 3) * self.scale
        self._show()

    def picture(self, jpeg, number: str, time: str, bookmarks: int) -> bool:
        """A picture with `number` drawn in, the time, and a mark for each bookmark passed.

        False for a picture the decoder cannot take. SourceFault if the number does not stand in the frame:
        then nothing is shown.
        """
        if not self._decode(jpeg):
            return False
        self._draw_number(number)
        line = time + (" *%d" % bookmarks if bookmarks else "")
        y = self.height - (letters.HIGH + 2) * self.scale
        self._box(line, 0, y, _YELLOW)
        if self.number() != number:
            self.canvas.fill(_BLACK)
            raise SourceFault  # a picture without its wearer is shown to nobody
        self._show()
        return True

    def number(self) -> str:
        """The issue number that stands in the frame, read from its dots; both places must say the same."""
        found = [letters.read(self.canvas, 8, x, y, _WHITE, self.scale) for x, y in self._places()]
        return found[0] if found[0] == found[1] else ""

    def _places(self):
        inset = 2 * self.scale
        right = self.width - letters.width("00000000", self.scale) - inset
        return (inset, inset), (right, self.height - (letters.HIGH + 2) * self.scale + self.scale)

    def _decode(self, jpeg):
        try:
            return self._screen.decode(jpeg, self.frame)
        except OSError:
            raise SourceFault from None  # the decoder does not answer

    def _draw_number(self, number):
        """In two corners, on black; and large and stippled over the middle, so that cutting corners off does
        not help.
        """
        if self._marked != number:
            self._make_mark(number)
        middle, width, height = self._mark
        self.canvas.blit(middle, (self.width - width) // 2, (self.height - height) // 2, _KEY)
        for x, y in self._places():
            self._box(number, x - self.scale, y - self.scale, _WHITE)

    def _make_mark(self, number):
        scale = max(1, self.width // ((len(number) + 1) * letters.STEP))
        width, height = letters.width(number, scale), letters.HIGH * scale
        canvas = framebuf.FrameBuffer(bytearray(2 * width * height), width, height, framebuf.RGB565)
        canvas.fill(_KEY)
        letters.draw(canvas, number, 0, 0, _WHITE, scale)
        for y in range(height):
            for x in range(y % 2, width, 2):
                canvas.pixel(x, y, _KEY)
        self._mark, self._marked = (canvas, width, height), number

    def _box(self, text, x, y, colour):
        scale = self.scale
        wide, high = letters.width(text, scale) + 2 * scale, (letters.HIGH + 2) * scale
        self.canvas.fill_rect(x, y, wide, high, _BLACK)
        letters.draw(self.canvas, text, x + scale, y + scale, colour, scale)

    def _show(self):
        try:
            self._screen.show(self.frame)
        except OSError:
            raise SourceFault from None  # the glass does not answer


def _broken(line, room):
    """A line in pieces of at most `room` letters, between words where it can be."""
    parts, part = [], ""
    for word in line.split(" "):
        if part and len(part) + 1 + len(word) > room:
            parts.append(part)
            part = word
        else:
            part = part + " " + word if part else word
    return parts + [part]
