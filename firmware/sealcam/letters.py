"""Letters for a small screen, five dots by seven, and reading them back from a frame.

Draws into anything with `fill_rect` and `pixel`, as MicroPython's framebuf has. Capitals, digits and a few
signs; what has no letter is drawn as a blank.
"""

WIDE, HIGH, STEP = 5, 7, 6  # dots of a letter, and from one to the next
_ROWS = {  # seven rows of five dots, the leftmost dot the highest bit
    "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 6, 8, 16, 31),
    "3": (30, 1, 1, 14, 1, 1, 30),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 4, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
    "A": (4, 10, 17, 17, 31, 17, 17),
    "B": (30, 17, 17, 30, 17, 17, 30),
    "C": (14, 17, 16, 16, 16, 17, 14),
    "D": (28, 18, 17, 17, 17, 18, 28),
    "E": (31, 16, 16, 28, 16, 16, 31),
    "F": (31, 16, 16, 28, 16, 16, 16),
    "G": (14, 17, 16, 23, 17, 17, 15),
    "H": (17, 17, 17, 31, 17, 17, 17),
    "I": (14, 4, 4, 4, 4, 4, 14),
    "J": (7, 2, 2, 2, 2, 18, 12),
    "K": (17, 18, 20, 24, 20, 18, 17),
    "L": (16, 16, 16, 16, 16, 16, 31),
    "M": (17, 27, 21, 21, 17, 17, 17),
    "N": (17, 25, 21, 19, 17, 17, 17),
    "O": (14, 17, 17, 17, 17, 17, 14),
    "P": (30, 17, 17, 30, 16, 16, 16),
    "Q": (14, 17, 17, 17, 21, 18, 13),
    "R": (30, 17, 17, 30, 20, 18, 17),
    "S": (15, 16, 16, 14, 1, 1, 30),
    "T": (31, 4, 4, 4, 4, 4, 4),
    "U": (17, 17, 17, 17, 17, 17, 14),
    "V": (17, 17, 17, 17, 10, 10, 4),
    "W": (17, 17, 17, 21, 21, 27, 17),
    "X": (17, 10, 4, 4, 4, 10, 17),
    "Y": (17, 17, 10, 4, 4, 4, 4),
    "Z": (31, 1, 2, 4, 8, 16, 31),
    ".": (0, 0, 0, 0, 0, 12, 12),
    ",": (0, 0, 0, 0, 12, 4, 8),
    ":": (0, 12, 12, 0, 12, 12, 0),
    ";": (0, 12, 12, 0, 12, 4, 8),
    "-": (0, 0, 0, 31, 0, 0, 0),
    "/": (1, 1, 2, 4, 8, 16, 16),
    "*": (0, 21, 14, 31, 14, 21, 0),
    ">": (16, 8, 4, 2, 4, 8, 16),
    "_": (0, 0, 0, 0, 0, 0, 31),
}
_BLANK = (0,) * HIGH


def width(text: str, scale: int = 1) -> int:
    """Dots a line takes, without the gap behind its last letter."""
    return (len(text) * STEP - 1) * scale


def draw(canvas, text: str, x: int, y: int, colour: int, scale: int = 1) -> None:
    """One line; what does not fit on the canvas is cut off."""
    for letter in text.upper():
        for row, dots in enumerate(_ROWS.get(letter, _BLANK)):
            for column in range(WIDE):
                if dots & (16 >> column):
                    canvas.fill_rect(x + column * scale, y + row * scale, scale, scale, colour)
        x += STEP * scale


def read(canvas, count: int, x: int, y: int, colour: int, scale: int = 1) -> str:
    """What stands there, `count` letters of `colour`; `?` for what is no letter of ours."""
    text = ""
    for at in range(x, x + count * STEP * scale, STEP * scale):
        text += _KNOWN.get(_dots(canvas, at, y, colour, scale), "?")
    return text


def _dots(canvas, x, y, colour, scale):
    """The seven rows that are lit, each dot all of it."""
    rows = []
    for row in range(HIGH):
        dots = 0
        for column in range(WIDE):
            dots = dots << 1 | (canvas.pixel(x + column * scale, y + row * scale) == colour)
        rows.append(dots)
    return tuple(rows)


_KNOWN = dict([(rows, letter) for letter, rows in _ROWS.items()] + [(_BLANK, " ")])
