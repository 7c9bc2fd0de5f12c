"""What a camera answers on the line: one buffer made once, filled in place, sealed and written as one frame.

Knows the answer's head and its pieces; what is asked and what is answered is known elsewhere.
"""

import struct

from sealcam.frames import NUMBER, PAYLOAD_AT, TAG

DONE, MORE = 0x00, 0x7F
PIECE = 16384  # bytes of a body in one frame
_HEAD = ">BBH"
_BODY_AT = PAYLOAD_AT + 4
_AT_WORK_MS = 2000  # between two signs that the camera still works: well within five seconds (D14)


class Answers:
    """`body` is where the bytes of the next frame are laid; `port` is the line."""

    def __init__(self, port):
        self._port = port
        self._buffer = memoryview(bytearray(_BODY_AT + PIECE + TAG))
        self.body = self._buffer[_BODY_AT : _BODY_AT + PIECE]
        self._session = None
        self._sent_ms = 0
        self.gone = False  # the line took less than a frame: nobody is there, and nobody counts as we do

    def begin(self, session, command: int, number: int, form: int) -> None:
        """The answers from here on are to this request."""
        self._session, self._command, self._number, self._form = session, command, number, form
        self._sent_ms = self._port.ms()
        self.gone = False

    def done(self, size: int = 0) -> None:
        """The last frame of an answer, with the first `size` bytes of `body`."""
        self.send(DONE, size)

    def more(self, size: int = 0) -> None:
        """A frame that another one follows."""
        self.send(MORE, size)

    def say(self, content) -> None:
        """The whole of a short answer."""
        self.body[: len(content)][:] = content
        self.done(len(content))

    def send(self, status: int, size: int = 0) -> None:
        """Never raises for a line that is gone: what is being done is done all the same."""
        if self.gone:
            return
        buffer = self._buffer
        struct.pack_into(_HEAD, buffer, PAYLOAD_AT, self._command, status, self._number)
        end = self._session.seal(buffer, 4 + size, self._form)
        self.gone = not self._port.write(buffer[NUMBER:end])
        self._sent_ms = self._port.ms()

    def at_work(self) -> None:
        """Called now and then by what takes long: a sign of life where one is due."""
        if self._session is not None and self._port.ms() - self._sent_ms >= _AT_WORK_MS:
            self.more()

    def stream(self, parts):
        """A body in pieces, made of what `parts` yields; a generator that yields between two frames.

        All frames but the last carry 16,384 bytes (D13).
        """
        held = 0
        for part in parts:
            view, at = memoryview(part), 0
            while at < len(view):
                if held == PIECE:
                    self.more(held)
                    held = 0
                    yield
                size = min(PIECE - held, len(view) - at)
                self.body[held : held + size][:] = view[at : at + size]
                held, at = held + size, at + size
            self.at_work_with(held)
        self.done(held)

    def at_work_with(self, held: int) -> None:
        """As `at_work`, where `held` bytes of `body` wait: what a frame would be sealed over is kept."""
        if self._port.ms() - self._sent_ms >= _AT_WORK_MS:
            kept = bytes(self.body[: min(held, TAG)])
            self.more()
            self.body[: len(kept)][:] = kept
