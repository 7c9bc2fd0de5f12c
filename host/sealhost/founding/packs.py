"""Make an organisation: three packs, meant for three places.

Every file is written aside and renamed, and what is there already is kept, so a run that was killed is
finished by the next one; `sealcam.toml` comes last in each pack, and what cannot be made again (passphrases,
shares) waits in one file that goes when everything else is there. Touches nothing outside the folder it is
given.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from shamir_mnemonic.wordlist import WORDLIST

from sealhost import certificates, escrow, keys, notes
from sealhost.config import DEMO, DEMO_MARKER, FILE_NAME, KEYS, OFFICE, PACKS, ROOT, STORE_MARKER, VAULT
from sealhost.durable import durable, sync_folder, write_file
from sealhost.errors import Refused
from sealhost.founding import texts
from sealhost.statements import KeyList, Policy

STAGED = "founding.json"
SHARES, NEEDED = 5, 3
_WORDS = 6
_SIGN_LOGS = ("checkpoint", "diary")  # Ed25519: custody of the vault, diary of the office
# in the order of their numbers in a key list; statements.md
_ROLES = ("evidence", "escrow", "verify", "receipt", "time", "certificate", "release", "link", "enrolment")


@dataclass(frozen=True)
class Founded:
    """What was made, or found made; passphrases only while this run finished the work."""

    home: Path
    organisation: bytes
    demo: bool
    is_new: bool
    passphrases: dict[str, str]


def show_nobody(passphrases: dict[str, str]) -> None:
    """For a demo, whose passphrases lie in files."""


def init(
    home: Path,
    demo: bool = False,
    show: Callable[[dict[str, str]], None] = show_nobody,
    policy: dict[str, int] | None = None,
) -> Founded:
    """Make three packs in `home`. Run again it changes nothing; killed half-way, the next run finishes.

    `show` is given the passphrases, by pack, once everything is there and before they are forgotten: they go
    from the disk only when it has returned.
    """
    home = Path(home).absolute()
    if _is_whole(home, demo):
        return Founded(home, keys.key_id_of((home / ROOT / "root.point").read_bytes()), demo, False, {})
    home.mkdir(parents=True, exist_ok=True)
    staged = _stage(home, demo)  # from here on a run that was killed knows what to finish
    _folders(home)
    founder = _Founder(home, demo, staged)
    founder.make(policy or {})
    show(dict(staged["passphrases"]))
    durable("forget what was staged")
    (
        home / STAGED
    ).unlink()  # from here on the shares and passphrases are where they belong, and nowhere else
    return Founded(home, founder.root.key_id, demo, True, dict(staged["passphrases"]))


def _is_whole(home: Path, demo: bool) -> bool:
    """Whether everything is there; Refused for part of an organisation, or one of the other sort."""
    packs = [kind for kind in PACKS if (home / kind / FILE_NAME).exists()]
    if (home / STAGED).exists():
        return False
    if any((home / kind / DEMO_MARKER).exists() != demo for kind in packs):
        raise Refused(f"{home} holds {'no ' if demo else 'a '}demonstration; choose another folder")
    if len(packs) == len(PACKS):
        return True
    if any((home / kind).exists() and any((home / kind).iterdir()) for kind in PACKS):
        raise Refused(f"{home} holds part of an organisation; choose another folder")
    return False


def _folders(home: Path) -> None:
    """For one user only; a folder left by a cut is used again."""
    for kind in PACKS:
        for folder in (home / kind, home / kind / "keys", home / kind / "certificates"):
            folder.mkdir(mode=0o700, exist_ok=True)
    for kind, name in ((ROOT, "escrow"), (VAULT, "loans"), (VAULT, "store-1"), (VAULT, "store-2")):
        folder = home / kind / name
        folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(home, "found folders")


def _stage(home: Path, demo: bool) -> dict:
    """What cannot be made a second time: drawn once, kept until everything else is there."""
    path = home / STAGED
    if not path.exists():
        secret = keys.SoftKey.make()
        staged = {
            "demo": demo,
            "passphrases": {kind: _draw_words() for kind in (ROOT, OFFICE)},
            "shares": escrow.split(secret.scalar, NEEDED, SHARES),
            "escrow_point": secret.point.hex(),
        }
        write_file(path, json.dumps(staged).encode(), 0o600)
    staged = json.loads(path.read_bytes())
    if staged["demo"] != demo:
        raise Refused(
            f"{home}: an init {'without' if demo else 'with'} --demo was begun there; finish that one"
        )
    return dict(staged)


def _draw_words() -> str:
    """Six words of the list that the shares are written in: 60 bits, each guess 600,000 rounds."""
    return " ".join(secrets.choice(WORDLIST) for _ in range(_WORDS))


class _Founder:
    """One run over the packs; whatever file is there already is taken as it is."""

    def __init__(self, home: Path, demo: bool, staged: dict) -> None:
        self._home, self._demo, self._staged = home, demo, staged
        self._made = {role: self._key(kind, role) for kind in PACKS for role in sorted(KEYS[kind])}
        self.root = self._softkey("root")

    def make(self, policy: dict[str, int]) -> None:
        """Everything in order; the file that makes a folder a pack comes last."""
        self._certificates()
        self._lists(policy)
        self._shares()
        self._stores()
        for kind in PACKS:
            if self._demo:
                self._demo_files(kind)
            self._keep(self._home / kind / FILE_NAME, texts.toml_of(kind, self.root.key_id, self._demo))
        if self._demo:
            self._keep(self._home / FILE_NAME, texts.toml_of(DEMO, self.root.key_id, True))

    def _keep(self, path: Path, content: bytes, mode: int = 0o600) -> bytes:
        """Write a file unless it is there: what it holds."""
        if not path.exists():
            write_file(path, content, mode)
        return path.read_bytes()

    def _key(self, kind: str, role: str) -> keys.SoftKey | Ed25519PrivateKey | None:
        folder = self._home / kind / "keys"
        if role == "erasure":
            self._keep(folder / "erasure.key", secrets.token_bytes(32))
            return None
        if role in _SIGN_LOGS:
            return self._checkpoint(folder / f"{role}.pem")
        words = self._staged["passphrases"].get(kind)
        path = folder / (f"{role}.p12" if words else f"{role}.pem")
        if path.exists():
            return keys.load(path, lambda: words)
        key = keys.SoftKey.make()
        write_file(path, key.pkcs12(words) if words else key.pem(), 0o600)
        return key

    def _checkpoint(self, path: Path) -> Ed25519PrivateKey:
        plain = (
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        pem = self._keep(path, Ed25519PrivateKey.generate().private_bytes(*plain))
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, Ed25519PrivateKey):
            raise Refused(f"{path} is no Ed25519 key")
        return key

    def _softkey(self, role: str) -> keys.SoftKey:
        key = self._made[role]
        if not isinstance(key, keys.SoftKey):
            raise Refused(f"{role} is no P-256 key")
        return key

    def _point(self, role: str) -> bytes:
        return bytes.fromhex(self._staged["escrow_point"]) if role == "escrow" else self._softkey(role).point

    def _certificates(self) -> None:
        """The root certifies every key; each pack gets those of its own keys, and the chain for cameras."""
        home = {"escrow": ROOT, **{role: kind for kind in PACKS for role in KEYS[kind] if role != "erasure"}}
        pem = self._keep(self._home / ROOT / "certificates" / "root.crt", certificates.make_root(self.root))
        for kind in (OFFICE, VAULT):
            self._keep(self._home / kind / "certificates" / "root.crt", pem)
        for role in (*_ROLES, *_SIGN_LOGS):
            path = self._home / home[role] / "certificates" / f"{role}.crt"
            self._keep(path, certificates.issue(role, self._public(role), self.root, pem))
        enrolment = (self._home / OFFICE / "certificates" / "enrolment.crt").read_bytes()
        self._keep(self._home / VAULT / "certificates" / "enrolment.crt", enrolment)

    def _public(self, role: str) -> certificates.Public:
        key = self._made.get(role)
        if isinstance(key, Ed25519PrivateKey):
            return key.public_key()
        return keys.decode_point(self._point(role))

    def _lists(self, policy: dict[str, int]) -> None:
        """Key list and policy, version 1, the same bytes in every pack."""
        points = [(number, self._point(role)) for number, role in enumerate(_ROLES, 1)]
        made = {
            "keylist.seal": KeyList.build(self.root, 1, points).raw,
            "policy.seal": Policy.build(self.root, 1, **policy).raw,
            "root.point": self.root.point,
        }
        for name, content in made.items():
            held = self._keep(self._home / ROOT / name, content)
            for kind in (OFFICE, VAULT):
                self._keep(self._home / kind / name, held)
        origin = f"sealcam/{self.root.key_id.hex()[:16]}"
        self._vkey("checkpoint", origin, VAULT)
        self._vkey("diary", origin + "/office", OFFICE)

    def _vkey(self, role: str, origin: str, kind: str) -> None:
        """What a stranger checks the checkpoints of a log with."""
        key = self._made[role]
        if isinstance(key, Ed25519PrivateKey):
            vkey = notes.vkey(origin, key.public_key().public_bytes_raw())
            self._keep(self._home / kind / f"{role}.vkey", (vkey + "\n").encode())

    def _shares(self) -> None:
        for number, mnemonic in enumerate(self._staged["shares"], 1):
            text = texts.share(number, SHARES, NEEDED, self.root.key_id, mnemonic)
            self._keep(self._home / ROOT / "escrow" / f"share-{number}-of-{SHARES}.txt", text)

    def _stores(self) -> None:
        for number in (1, 2):
            folder = self._home / VAULT / f"store-{number}"
            self._keep(folder / STORE_MARKER, texts.store(number, self.root.key_id))

    def _demo_files(self, kind: str) -> None:
        self._keep(self._home / kind / DEMO_MARKER, texts.DEMO_NOTE.encode())
        if kind in self._staged["passphrases"]:
            words = self._staged["passphrases"][kind]
            self._keep(self._home / kind / "passphrase.txt", texts.passphrase(words))
