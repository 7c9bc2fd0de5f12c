"""A real mosquitto over TLS with client certificates made here, one that stalls, and ones that mean harm."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sealhost.bays import AnnounceSettings

HOST = "localhost"


class Authority:
    """A CA and what it certifies, as files."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.ca = folder / f"{name}.crt"
        certificate = self._builder(self._subject, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        signed = certificate.sign(self._key, hashes.SHA256())
        self.ca.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    def certify(self, name: str, host: str = "", is_server: bool = False) -> tuple[Path, Path]:
        """Certificate and key for a client, or for a server of that host name."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
        usage = ExtendedKeyUsageOID.SERVER_AUTH if is_server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        certificate, private = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        signed = builder.sign(self._key, hashes.SHA256())
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, private


def free_port() -> int:
    with socket.socket() as line:
        line.bind((HOST, 0))
        return int(line.getsockname()[1])


@dataclass
class Broker:
    """mosquitto on a port of its own; stopped and started again it has forgotten what was retained."""

    folder: Path
    authority: Authority
    host_name: str = HOST
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        certificate, key = self.authority.certify("server", self.host_name, is_server=True)
        lines = {
            "listener": f"{self.port} {HOST}",
            "cafile": self.authority.ca,
            "certfile": certificate,
            "keyfile": key,
            "require_certificate": "true",
            "use_identity_as_username": "true",
            "persistence": "false",
            "log_dest": "none",
            "user": "root",  # only where it is root who tests: it may then read the files of the test
        }
        made = self.folder / "mosquitto.conf"
        made.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        self.process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", made], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as line:
                if line.connect_ex((HOST, self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("mosquitto did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Listener:
    """A subscriber; every message as (topic, payload, retained), and the newest of each topic."""

    def __init__(self, broker: Broker) -> None:
        certificate, key = broker.authority.certify("listener")
        self.heard: list[tuple[str, bytes, bool]] = []
        self.newest: dict[str, bytes] = {}
        self._news = threading.Condition()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="listener")
        self._client.tls_set(str(broker.authority.ca), str(certificate), str(key))
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_message = self._message
        self._client.connect(HOST, broker.port)
        self._client.loop_start()

    def _message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._news:
            self.heard.append((message.topic, message.payload, message.retain))
            self.newest[message.topic] = message.payload
            self._news.notify_all()

    def until(self, holds: Callable[[], object]) -> None:
        with self._news:
            assert self._news.wait_for(holds, 30), self.newest

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def proxy(target: int) -> Iterator["Proxy"]:
    made = Proxy(target)
    try:
        yield made
    finally:
        made.close()


class Proxy:
    """A TCP line to the broker that carries nothing while `stalled` is set."""

    def __init__(self, target: int) -> None:
        self._target, self.stalled, self._closed = target, threading.Event(), threading.Event()
        self._server = socket.create_server((HOST, 0))
        self.port = int(self._server.getsockname()[1])
        self._lines: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                one, _ = self._server.accept()
                other = socket.create_connection((HOST, self._target))
            except OSError:
                return
            self._lines += [one, other]
            for source, sink in ((one, other), (other, one)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(4096):
                while self.stalled.is_set() and not self._closed.is_set():
                    time.sleep(0.01)
                sink.sendall(data)
        except OSError:
            pass
        finally:
            source.close()
            sink.close()

    def close(self) -> None:
        """Cut every line."""
        self._closed.set()
        self._server.close()
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


@contextmanager
def hostile(authority: Authority, says: Callable[[ssl.SSLSocket], None]) -> Iterator[list[int]]:
    """A TLS server with a good certificate that says what it likes; yields [port, connections]."""
    certificate, key = authority.certify("hostile", HOST, is_server=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server, counted = socket.create_server((HOST, 0)), [0, 0]
    counted[0] = int(server.getsockname()[1])

    def serve() -> None:
        while True:
            try:
                plain, _ = server.accept()
            except OSError:
                return
            counted[1] += 1
            try:
                with context.wrap_socket(plain, server_side=True) as line:
                    says(line)
            except OSError:
                continue

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield counted
    finally:
        server.close()


def settings(authority: Authority, port: int, **other: object) -> AnnounceSettings:
    """What a dock is told of a broker."""
    certificate, key = authority.certify("dock-1")
    fields = {"host": HOST, "port": port, "ca": authority.ca, "certificate": certificate, "key": key, **other}
    return AnnounceSettings(**fields)  # type: ignore[arg-type]
