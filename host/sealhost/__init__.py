"""The dock: takes sealed recordings off a card, proves them, keeps them twice, and only then wipes."""

__version__ = "0.1.0"
