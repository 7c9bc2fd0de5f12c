"""Hand the card to the camera or to the host: never to both."""

from pathlib import Path

from bench.power import Power


class CardMux:
    """One card. A camera of these targets takes a card at its next boot, so the mux switches it off first."""

    def __init__(self, card: Path, power: Power) -> None:
        self.path, self._power = card, power

    def to_camera(self) -> None:
        """Into the camera's slot."""
        self._power.off()
        self._power.card = self.path

    def to_host(self) -> Path:
        """Into the reader; where the reader shows it."""
        self._power.off()
        self._power.card = None
        return self.path
