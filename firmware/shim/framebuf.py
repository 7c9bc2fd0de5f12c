"""The part of MicroPython's `framebuf` the firmware uses, for CPython: RGB565 alone. Never in an image."""

import struct

RGB565 = 1


class FrameBuffer:
    """`buffer` holds `width` times `height` pixels of two bytes, in the machine's own order."""

    def __init__(self, buffer, width, height, kind):
        if kind != RGB565 or len(buffer) < 2 * width * height:
            raise ValueError
        self._view, self.width, self.height = memoryview(buffer), width, height

    def pixel(self, x, y, colour=None):
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        at = 2 * (y * self.width + x)
        if colour is None:
            return struct.unpack_from("=H", self._view, at)[0]
        struct.pack_into("=H", self._view, at, colour & 0xFFFF)
        return None

    def fill(self, colour):
        self.fill_rect(0, 0, self.width, self.height, colour)

    def fill_rect(self, x, y, width, height, colour):
        right, bottom = min(x + width, self.width), min(y + height, self.height)
        x, y = max(x, 0), max(y, 0)
        row = struct.pack("=H", colour & 0xFFFF) * max(0, right - x)
        for line in range(y, bottom):
            at = 2 * (line * self.width + x)
            self._view[at : at + len(row)] = row

    def blit(self, source, x, y, key=-1):
        for row in range(source.height):
            for column in range(source.width):
                colour = source.pixel(column, row)
                if colour != key:
                    self.pixel(x + column, y + row, colour)
