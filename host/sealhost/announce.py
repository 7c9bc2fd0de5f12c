"""Each change of a bay and of a camera, told to an MQTT broker over TLS with a client certificate.

The newest state of each topic, retained; ids only, never a name or a place. A broker that is down, slow or
hostile delays nothing: whoever has news leaves it in a table and goes on. Nothing a broker says is acted on.
docs/announce.md.
"""

import json
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt

from sealhost.bays import AnnounceSettings, Shown
from sealhost.errors import FileMissing, KeyTrouble

TOPICS = 4096
IN_FLIGHT = 16
ANSWER_S = 30.0
GOODBYE_S = 2.0
PAUSES_S = (1.0, 60.0)  # between two tries, growing from the first to the last
_TURN_S = 0.1
_ALLOWED, _EARNED = 1024, 64  # bytes a broker may send at once, and more for each message and each ANSWER_S
# what a library may stumble over when a broker sends what is no MQTT
_HOSTILE = (OSError, ValueError, struct.error, IndexError, KeyError, TypeError, MemoryError)


class Rationed(ssl.SSLSocket):
    """A connection on which the other side may say little: acknowledgements are all we want to hear."""

    allowance = _ALLOWED

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """As `socket.recv`; the connection ends where a broker sends more than it has reason to."""
        got = super().recv(min(buflen, _ALLOWED), flags)
        self.allowance -= len(got)
        if self.allowance < 0:
            raise ConnectionAbortedError("the broker sends what nobody asked for")
        return got


def tls_context(settings: AnnounceSettings) -> ssl.SSLContext:
    """Checks the broker's certificate and host name against our CA only, and shows our own certificate."""
    for path in (settings.ca, settings.certificate, settings.key):
        if not path.is_file():
            raise FileMissing(path, "[announce] names it")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks chain and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = Rationed
    try:
        context.load_verify_locations(cafile=settings.ca)
        context.load_cert_chain(settings.certificate, settings.key, password=_no_passphrase)
    except (OSError, ValueError) as wrong:
        raise KeyTrouble(settings.key, f"certificate and key of [announce] do not load ({wrong})") from None
    return context


def _no_passphrase() -> bytes:
    raise ValueError("it has a passphrase, and nobody is there to type one")


class Table:
    """The newest payload of each topic; whoever has news never waits for whoever sends it."""

    def __init__(self, most: int = TOPICS) -> None:
        self._most, self._guard = most, threading.Lock()
        self._rows: dict[str, tuple[int, bytes]] = {}
        self._version = 0

    def put(self, topic: str, payload: bytes) -> None:
        """Takes the place of what this topic had; beyond the bound the row that changed longest ago goes."""
        with self._guard:
            if self._rows.get(topic, (0, b""))[1] == payload:
                return  # how far a docking is, is no news
            self._version += 1
            self._rows.pop(topic, None)
            self._rows[topic] = (self._version, payload)
            if len(self._rows) > self._most:
                del self._rows[next(iter(self._rows))]

    def news(self, told: dict[str, int], count: int) -> list[tuple[str, int, bytes]]:
        """At most `count` rows that are newer than what was told, oldest change first."""
        with self._guard:
            fresh = ((t, v, p) for t, (v, p) in self._rows.items() if told.get(t, 0) < v)
            return [row for row, _ in zip(fresh, range(count), strict=False)]


class Announcer:
    """One broker, one thread. As a context manager: it says that the dock is open, and at the end that it is
    closed.
    """

    def __init__(
        self,
        settings: AnnounceSettings,
        dock: str,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._settings, self._dock, self._clock = settings, dock, clock
        self._context = tls_context(settings)
        self._table = Table()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="announce", daemon=True)
        self.trouble = ""  # why there is no broker, for whoever wants to know

    def __enter__(self) -> "Announcer":
        self._put(f"{self._dock}/state", state="online")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Say goodbye where a broker listens; not for longer than a moment."""
        self._put(f"{self._dock}/state", state="offline")
        self._closing.set()
        self._thread.join(GOODBYE_S + 1.0)

    def bay(self, shown: Shown) -> None:
        """A bay changed; how far it is, is not told."""
        here = {"bay": shown.bay, "dock": self._dock, "lamp": shown.state.lamp, "state": shown.state.words}
        camera = shown.device.hex()
        self._put(f"{self._dock}/bay/{shown.bay}", shown.at, camera=camera, charging=shown.charging, **here)
        if camera:
            self._put(f"camera/{camera}", shown.at, charging=shown.charging, **here)

    def late(self, issue: Any) -> None:
        """A camera is not back by the end of its issue."""
        told = {"dock": self._dock, "issue": issue.issue.hex(), "state": "overdue", "until": issue.until}
        self._put(f"camera/{issue.device_id.hex()}", **told)

    def _put(self, topic: str, at: int = 0, **fields: Any) -> None:
        payload = json.dumps({"at": at or self._clock(), **fields}, sort_keys=True).encode()
        self._table.put(f"{self._settings.prefix}/{topic}", payload)

    # the thread

    def _run(self) -> None:
        """Connect, tell, and when it ends begin again; the pause grows while no broker stays."""
        pause = PAUSES_S[0]
        while True:
            began = time.monotonic()
            try:
                _Talk(self._settings, self._dock, self._context, self._table).go_on_until(self._closing)
            except _HOSTILE as fault:
                self.trouble = f"{type(fault).__name__}: {fault}"
            if self._closing.is_set():
                return
            pause = PAUSES_S[0] if time.monotonic() - began > PAUSES_S[1] else min(2 * pause, PAUSES_S[1])
            if self._closing.wait(pause):
                return


class _Talk:
    """One connection. Every wait in it is bounded; what is left when it ends is told on the next one."""

    def __init__(self, settings: AnnounceSettings, dock: str, context: ssl.SSLContext, table: Table) -> None:
        self._settings, self._table = settings, table
        self._told: dict[str, int] = {}  # version acknowledged, or on its way
        self._on_way: dict[int, float] = {}  # message id: when it left
        self._is_in, self._earned_at = False, time.monotonic()
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=f"sealcam-{dock}",
            protocol=mqtt.MQTTv311,
            reconnect_on_failure=False,
        )
        self._client.tls_set_context(context)
        self._client.connect_timeout = ANSWER_S / 3
        gone = json.dumps({"state": "offline"}).encode()
        self._client.will_set(f"{settings.prefix}/{dock}/state", gone, qos=1, retain=True)
        self._client.on_connect = self._heard_in
        self._client.on_publish = self._heard_of

    def _heard_in(self, _client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        self._is_in = not reason.is_failure

    def _heard_of(self, _client: Any, _data: Any, number: int, _reason: Any, _more: Any) -> None:
        self._on_way.pop(number, None)

    def go_on_until(self, closing: threading.Event) -> None:
        """Raises one of _HOSTILE when the broker goes, or does not answer."""
        self._client.connect(self._settings.host, self._settings.port, keepalive=int(ANSWER_S))
        try:
            began, left = time.monotonic(), 0.0
            while True:
                self._turn(began)
                if closing.is_set():
                    left = left or time.monotonic() + GOODBYE_S
                    if self._is_all_told() or time.monotonic() > left:
                        return
        finally:
            self._leave()

    def _turn(self, began: float) -> None:
        code = self._client.loop(timeout=_TURN_S)
        if code != mqtt.MQTT_ERR_SUCCESS:
            raise ConnectionError(mqtt.error_string(code))
        waiting_since = min(self._on_way.values(), default=began if not self._is_in else None)
        if waiting_since is not None and time.monotonic() - waiting_since > ANSWER_S:
            raise TimeoutError("the broker does not answer")
        if time.monotonic() - self._earned_at > ANSWER_S:
            self._earn()
        if self._is_in:
            for topic, version, payload in self._table.news(self._told, IN_FLIGHT - len(self._on_way)):
                self._send(topic, version, payload)

    def _send(self, topic: str, version: int, payload: bytes) -> None:
        sent = self._client.publish(topic, payload, qos=1, retain=True)
        if sent.rc != mqtt.MQTT_ERR_SUCCESS:
            raise ConnectionError(mqtt.error_string(sent.rc))
        self._told[topic] = version
        self._on_way[sent.mid] = time.monotonic()
        self._earn()

    def _earn(self) -> None:
        """It may acknowledge what it was sent, and answer a ping."""
        line, self._earned_at = self._client.socket(), time.monotonic()
        if isinstance(line, Rationed):
            line.allowance = min(line.allowance + _EARNED, _ALLOWED)

    def _is_all_told(self) -> bool:
        return self._is_in and not self._on_way and not self._table.news(self._told, 1)

    def _leave(self) -> None:
        """Goodbye, without waiting for an answer; a line that is broken is only let go."""
        try:
            self._client.disconnect()
            line = self._client.socket()
            if line is not None:
                line.close()
        except _HOSTILE:
            return
