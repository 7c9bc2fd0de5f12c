"""What a dock tells a broker: a real mosquitto, and brokers that are down, slow, strange or mean harm."""

import json
import ssl
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from broker import Authority, Broker, Listener, hostile, proxy, settings
from sealhost import announce
from sealhost.announce import Announcer, Table
from sealhost.bays import Shown, State, announce_settings
from sealhost.errors import ConfigBroken, FileMissing, KeyTrouble

pytestmark = pytest.mark.slow

CAMERA = bytes(range(32))
BAY = "sealcam/dock-1/bay/left"
DOCK = "sealcam/dock-1/state"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    made = Broker(tmp_path, authority)
    made.start()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "PAUSES_S", (0.05, 0.2))
    monkeypatch.setattr(announce, "GOODBYE_S", 1.0)


def shown(state: State, at: int = 7, **fields: object) -> Shown:
    return Shown("left", state, "/mnt/secret: J. Doe", device=CAMERA, at=at, **fields)


def state_of(listener: Listener, topic: str) -> str:
    return str(json.loads(listener.newest.get(topic, b'{"state": ""}'))["state"])


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_every_state_is_retained_for_those_who_come_late(authority: Authority, broker: Broker) -> None:
    with Announcer(settings(authority, broker.port), "dock-1") as announcer:
        early = Listener(broker)
        announcer.bay(shown(State.VERIFYING))
        early.until(lambda: state_of(early, BAY) == "verifying")
        announcer.bay(shown(State.SAFE, charging=True))
        early.until(lambda: state_of(early, BAY) == "safe to take")
        late = Listener(broker)
        late.until(lambda: len(late.newest) == 3)

        assert json.loads(late.newest[BAY]) == {
            "at": 7,
            "bay": "left",
            "camera": CAMERA.hex(),
            "charging": True,
            "dock": "dock-1",
            "lamp": 4,
            "state": "safe to take",
        }
        assert state_of(late, f"sealcam/camera/{CAMERA.hex()}") == "safe to take"
        assert state_of(late, DOCK) == "online"
        assert all(retained for _, _, retained in late.heard)
        assert not any(b"secret" in payload or b"Doe" in payload for _, payload, _ in early.heard)
    late.until(lambda: state_of(late, DOCK) == "offline")
    early.close()
    late.close()


def test_a_dock_that_is_cut_off_is_offline_by_its_last_will(authority: Authority, broker: Broker) -> None:
    with proxy(broker.port) as line, Announcer(settings(authority, line.port), "dock-1"):
        listener = Listener(broker)
        listener.until(lambda: state_of(listener, DOCK) == "online")

        line.close()
        listener.until(lambda: state_of(listener, DOCK) == "offline")
    listener.close()


def test_a_broker_that_comes_back_without_memory_is_told_everything_again(
    authority: Authority, broker: Broker
) -> None:
    with Announcer(settings(authority, broker.port), "dock-1") as announcer:
        announcer.bay(shown(State.KEEP))
        first = Listener(broker)
        first.until(lambda: state_of(first, BAY).startswith("keep"))
        first.close()
        broker.stop()
        announcer.bay(shown(State.WAITING))
        announcer.bay(shown(State.LEAVE))
        broker.start()
        second = Listener(broker)
        second.until(lambda: state_of(second, BAY).startswith("leave here"))
        assert state_of(second, DOCK) == "online"
    second.close()


def test_an_overdue_camera_is_announced_by_ids(authority: Authority, broker: Broker) -> None:
    with Announcer(settings(authority, broker.port), "dock-1") as announcer:
        announcer.late(SimpleNamespace(device_id=CAMERA, issue=bytes(16), until=9, officer="J. Doe"))
        listener = Listener(broker)
        listener.until(lambda: state_of(listener, f"sealcam/camera/{CAMERA.hex()}") == "overdue")
    told = json.loads(listener.newest[f"sealcam/camera/{CAMERA.hex()}"])
    assert (told["issue"], told["until"], "officer" in told) == ("00" * 16, 9, False)
    listener.close()


def test_a_broker_of_another_authority_or_another_name_is_told_nothing(
    tmp_path: Path, authority: Authority
) -> None:
    for number, (issuer, name) in enumerate(
        [(Authority(tmp_path, "other"), "localhost"), (authority, "elsewhere.example")]
    ):
        (folder := tmp_path / str(number)).mkdir()
        broker = Broker(folder, issuer, host_name=name)
        broker.start()
        try:
            with Announcer(settings(authority, broker.port), "dock-1") as announcer:
                until(lambda: "CERTIFICATE_VERIFY_FAILED" in announcer.trouble)
            listener = Listener(Broker(folder, issuer, port=broker.port)) if name == "localhost" else None
            if listener:
                time.sleep(0.3)
                assert not listener.newest
                listener.close()
        finally:
            broker.stop()


def test_a_dock_without_the_brokers_trust_is_refused_and_goes_on(tmp_path: Path, broker: Broker) -> None:
    stranger = Authority(tmp_path, "stranger")
    wrong = replace(settings(stranger, broker.port), ca=broker.authority.ca)

    with Announcer(wrong, "dock-1") as announcer:
        until(lambda: announcer.trouble)
        announcer.bay(shown(State.SAFE))

    listener = Listener(broker)
    time.sleep(0.3)
    assert not listener.newest
    listener.close()


def test_a_slow_broker_delays_nobody_and_is_told_the_newest(authority: Authority, broker: Broker) -> None:
    """Ten thousand changes of one bay are one message when it listens again."""
    with proxy(broker.port) as line, Announcer(settings(authority, line.port), "dock-1") as announcer:
        listener = Listener(broker)
        listener.until(lambda: state_of(listener, DOCK) == "online")
        line.stalled.set()
        for number in range(10_000):
            announcer.bay(shown(State.VERIFYING, at=number))
        announcer.bay(shown(State.SAFE))
        line.stalled.clear()
        listener.until(lambda: state_of(listener, BAY) == "safe to take")
        assert sum(topic == BAY for topic, _, _ in listener.heard) < 100
    listener.close()


def never_answers(line: ssl.SSLSocket) -> None:
    while line.recv(4096):
        pass


def floods(line: ssl.SSLSocket) -> None:
    line.recv(4096)
    line.sendall(b"\x20\x02\x00\x00")
    while True:
        line.sendall(b"\x34\x0b\x00\x01x\x00\x01flooded" * 100)


def sends_one_huge_packet(line: ssl.SSLSocket) -> None:
    line.recv(4096)
    line.sendall(b"\x20\x02\x00\x00\x30\xff\xff\xff\x7f")
    while True:
        line.sendall(bytes(1 << 16))


def sends_nonsense(line: ssl.SSLSocket) -> None:
    line.recv(4096)
    line.sendall(b"\x20\x02\x00\x00" + b"\x40\x00" + b"\x40\x01\x00" + b"\xf0\xff\xff\xff\xff\xff")
    line.recv(4096)


def closes(line: ssl.SSLSocket) -> None:
    line.recv(10)


@pytest.mark.parametrize(
    "says", [never_answers, floods, sends_one_huge_packet, sends_nonsense, closes], ids=lambda s: s.__name__
)
def test_a_hostile_broker_is_left_and_tried_again_and_costs_little(
    authority: Authority, says: Callable[[ssl.SSLSocket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announce, "ANSWER_S", 1.0)
    tracemalloc.start()
    with (
        hostile(authority, says) as counted,
        Announcer(settings(authority, counted[0]), "dock-1") as announcer,
    ):
        for number in range(100):
            announcer.bay(shown(State.VERIFYING, at=number))
        until(lambda: counted[1] >= 3)
        assert announcer.trouble
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_a_broker_that_is_not_there_delays_nobody(authority: Authority) -> None:
    with Announcer(settings(authority, 1), "dock-1") as announcer:
        until(lambda: "refused" in announcer.trouble)
        announcer.bay(shown(State.SAFE))


def test_the_table_is_bounded_and_the_newest_of_a_topic_wins() -> None:
    table = Table(most=3)
    for number in range(5):
        table.put(f"topic {number}", b"old")
        table.put("bay", str(number).encode())

    rows = {topic: payload for topic, _, payload in table.news({}, 100)}
    assert rows == {"topic 3": b"old", "topic 4": b"old", "bay": b"4"}
    told = {topic: version for topic, version, _ in table.news({}, 100)}
    table.put("bay", b"4")
    assert table.news(told, 100) == []


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ({"host": "b"}, "needs `ca`"),
        ({"host": "b", "ca": "a", "certificate": "c", "key": "k", "tls": False}, "tls"),
        ({"host": "b", "ca": "a", "certificate": "c", "key": "k", "port": 0}, "port"),
        ({"host": "b", "ca": "a", "certificate": "c", "key": "k", "prefix": "a/#"}, "prefix"),
        ({"host": "b c", "ca": "a", "certificate": "c", "key": "k"}, "host"),
        ({"host": "b", "ca": "a", "certificate": "c", "key": ""}, "key"),
    ],
)
def test_there_is_no_plain_mqtt_and_no_line_that_is_half_right(
    tmp_path: Path, table: dict[str, object], wrong: str
) -> None:
    with pytest.raises(ConfigBroken, match=wrong):
        announce_settings(tmp_path / "sealcam.toml", table)


def test_certificate_files_that_do_not_load_are_told_at_the_start(
    tmp_path: Path, authority: Authority
) -> None:
    good = settings(authority, 1)
    with pytest.raises(FileMissing):
        Announcer(replace(good, ca=tmp_path / "nowhere"), "dock-1")
    with pytest.raises(KeyTrouble):
        Announcer(replace(good, key=good.ca), "dock-1")
