"""Introduce the parts of a pack to one another: the only place where edges and work meet."""

import getpass
import os
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from sealhost import config, escrow, keyring, keys, keytable, statements
from sealhost.catalogue import Catalogue
from sealhost.custody import Custody, open_custody
from sealhost.desk import Desk
from sealhost.enrolment import Authority
from sealhost.errors import CatalogueGone, FileMissing, KeyMissing, KeyTrouble, SharesTooFew, SharesWrong
from sealhost.escrow import mnemonic_of
from sealhost.keys import SoftKey
from sealhost.layout import ROLE_OPEN, ROLE_VERIFY
from sealhost.quarantine import Quarantine, open_quarantine
from sealhost.records import Actor
from sealhost.register import Register, open_register
from sealhost.rekeying import Owed
from sealhost.statements import ESCROW, LINK, RELEASE_KEY
from sealhost.vault import Vault
from sealhost.viewing import Room
from sealhost.wipebook import WipeBook

_ROLES = {"evidence": ROLE_OPEN, "verify": ROLE_VERIFY}


class Home:
    """One home and what can be made of it; everything is opened when it is first asked for."""

    def __init__(self, folder: str | None, loaded: config.Config | None = None) -> None:
        self.config = loaded or config.load(folder)
        self._keys: dict[Path, SoftKey] = {}
        self.builds_anew = False  # the catalogue, from what is stored

    def actor(self, role: str) -> Actor:
        """Who is at the keyboard, as an id."""
        return Actor(role, actor_id())

    @cached_property
    def root_point(self) -> bytes:
        return content(self.config.file("root_point"))

    @cached_property
    def keylist(self) -> statements.KeyList:
        return statements.KeyList.parse(content(self.config.file("keylist")), self.root_point)

    @cached_property
    def policy(self) -> statements.Policy:
        return statements.Policy.parse(content(self.config.file("policy")), self.root_point)

    def key(self, role: str) -> SoftKey:
        """The private key of this home that the key list names; a passphrase is asked for where its file
        needs one.
        """
        path = self.config.key(role)
        if role in keyring.NUMBERS and len(keyring.held(path)) > 1:
            path = keyring.current(path, self.keylist.point(keyring.NUMBERS[role]))
        return self._loaded(role, path)

    def openers(self, role: str) -> list[SoftKey]:
        """Every key of this role that is held here, the one in use first: older ones open what is sealed to
        them.
        """
        held = [self._loaded(role, path) for path in keyring.held(self.config.key(role)) if path.exists()]
        used = self.key(role)
        return [used, *(key for key in held if key.key_id != used.key_id)]

    def link_key(self, version: int) -> SoftKey:
        """The link key that a camera believes whose newest key list is of this version."""
        wanted = self.listed(version).point(LINK)
        found = next((key for key in self.openers("link") if key.point == wanted), None)
        if found is None:
            raise KeyMissing(f"{self.config.key('link')}: the link key of key list {version}")
        return found

    def listed(self, version: int) -> statements.KeyList:
        """The key list of a version; a camera without one is met with the list in use."""
        if version in (0, self.keylist.version):
            return self.keylist
        return keyring.list_of(self.config.file("keylist"), version, self.root_point)

    def _loaded(self, role: str, path: Path) -> SoftKey:
        if path not in self._keys:
            self._keys[path] = keys.load(path, self.passphrase(role, path), _ROLES.get(role, 0))
        return self._keys[path]

    def passphrase(self, role: str, path: Path) -> Callable[[], str]:
        """From the file of $SEALCAM_PASSPHRASE_FILE, or of this with _ROOT or _OFFICE behind it where packs
        stand side by side; else the demo's; else from the keyboard.
        """

        def ask() -> str:
            pack = next(pack for pack in self.config.packs.values() if role in pack.keys)
            named = (f"SEALCAM_PASSPHRASE_FILE_{pack.kind.upper()}", "SEALCAM_PASSPHRASE_FILE")
            given = next(filter(None, map(os.environ.get, named)), None) or pack.files.get("passphrase")
            if given:
                return _words(Path(given))
            if not sys.stdin.isatty():
                raise KeyTrouble(path, "it needs a passphrase, and nobody is there to type one")
            return getpass.getpass(f"passphrase of {path.name}: ")

        return ask

    @cached_property
    def custody(self) -> Custody:
        opened = open_custody(self.config)
        opened.refuse_a_rollback()
        return opened

    @cached_property
    def register(self) -> Register:
        return open_register(self.config, self.custody)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The index; an empty one in the place of one that is gone would say that nothing is stored."""
        path = self.config.database("catalogue")
        if not self.builds_anew and (not path.is_file() or not path.stat().st_size):
            stored = {e.subject for e in self.custody.entries() if e.event == "recording.stored"}
            if stored:
                raise CatalogueGone(path, len(stored))
        return Catalogue(path)

    @cached_property
    def vault(self) -> Vault:
        return Vault.at(self.config.stores)

    @cached_property
    def keytables(self) -> keytable.KeyTables:
        return keytable.KeyTables(self.config.stores, keytable.load_erasure_key(self.config.key("erasure")))

    @cached_property
    def quarantine(self) -> Quarantine:
        return open_quarantine(self.config.stores)

    @cached_property
    def wipebook(self) -> WipeBook:
        return WipeBook(self.config.pack(config.VAULT).folder / "receipts")

    def device_point(self, device_id: bytes) -> bytes | None:
        """The point of a camera in the register."""
        device = self.register.get(device_id)
        return device.point if device else None

    def desk(self) -> Desk:
        """What docking needs."""
        return Desk(
            organisation=self.config.organisation,
            actor=self.actor("vault"),
            policy=self.policy,
            keylist=self.keylist.version,
            verify_key=self.key("verify"),
            verify_before=tuple(self.openers("verify")[1:]),
            receipt_key=self.key("receipt"),
            certificate_key=self.key("certificate"),
            release_point=self.keylist.point(RELEASE_KEY) or b"",
            vault=self.vault,
            keytables=self.keytables,
            catalogue=self.catalogue,
            custody=self.custody,
            register=self.register,
            quarantine=self.quarantine,
            wipebook=self.wipebook,
        )

    def key_ids(self) -> list[bytes]:
        """The ids of the keys of this vault that the key list names."""
        roles = config.KEYS[config.VAULT] & set(keyring.ROLES)
        listed = [self.keylist.point(keyring.NUMBERS[role]) for role in roles]
        return sorted(keys.key_id_of(point) for point in listed if point)

    def owed(self) -> Owed:
        """What a docked camera may not have yet."""
        desk = self.desk()
        return Owed(self.keylist, self.policy, self.drills, self.register, desk.note)

    @property
    def drills(self) -> keyring.Drills:
        """What waits to be given to cameras."""
        return keyring.Drills(self.config.pack(config.VAULT).folder / "drills")

    def authority(self, shares: Sequence[str]) -> Authority:
        """What this desk holds; without `shares` those of a demo are taken from its folder."""
        is_office = config.OFFICE in self.config.packs
        if not is_office:
            self.config.pack(config.VAULT)
        return Authority(
            organisation=self.config.organisation,
            root_point=self.root_point,
            keylist=self.keylist.raw,
            keylist_version=self.keylist.version,
            policy=self.policy.raw,
            actor=self.actor("enrolment" if is_office else "vault"),
            key=self.key,
            point=self.keylist.point,
            enrolment_certificate=content(self.config.certificate("enrolment")),
            escrow_key=lambda: self.escrow_key(shares),
            register=self.register,
            custody=self.custody,
            is_office=is_office,
            is_vault=config.VAULT in self.config.packs,
        )

    def escrow_key(self, shares: Sequence[str]) -> SoftKey:
        """The escrow key, from m shares: files, or the words themselves."""
        given = [share_text(share) for share in shares] or self._demo_shares()
        key = SoftKey.of_scalar(escrow.recover(given), ROLE_OPEN)
        listed = keyring.lists(self.config.file("keylist"), self.root_point)
        if key.point not in {known.point(ESCROW) for known in listed}:
            raise SharesWrong("they give a key that is not the escrow key of any key list")
        return key

    def _demo_shares(self) -> list[str]:
        """As many as are needed, from the demo's folder; anywhere else the envelopes have to be opened."""
        if not self.config.demo:
            raise SharesTooFew(0, "some")
        folder = keyring.current(self.config.file("shares"), self.keylist.point(ESCROW))
        files = sorted(path for path in folder.glob("share*") if path.is_file())
        found = [mnemonic_of(path.read_text(encoding="utf-8")) for path in files]
        return found[: escrow.needed_of(found[0])] if found else []

    def room(self, role: str = "evidence") -> Room:
        """What viewing and indexing need: the evidence key, and the vault's shelves."""
        return Room(
            openers=self.openers(role),
            actor=self.actor("evidence"),
            vault=self.vault,
            keytables=self.keytables,
            custody=self.custody,
            device_point=self.device_point,
            write_mp4=_write_mp4,
        )


def _write_mp4(*arguments: Any, **named: Any) -> Any:
    """`media.write_mp4`; PyAV takes longer to load than a card takes to be listed."""
    from sealhost import media

    return media.write_mp4(*arguments, **named)


def actor_id() -> str:
    """Who is at the keyboard: an id, never a name."""
    return os.environ.get("SEALCAM_ACTOR") or f"uid-{os.getuid()}"


def content(path: Path) -> bytes:
    """A file of a pack, or an error that names it."""
    try:
        return path.read_bytes()
    except OSError as trouble:
        raise FileMissing(path, trouble.strerror) from None


def _words(path: Path) -> str:
    """A passphrase from a file."""
    try:
        return mnemonic_of(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as trouble:
        raise KeyTrouble(path, f"no passphrase can be read there ({type(trouble).__name__})") from None


def share_text(share: str) -> str:
    """A share as given: a file that holds it, or its words."""
    return mnemonic_of(Path(share).read_text(encoding="utf-8")) if os.path.isfile(share) else share


def home() -> Home:
    """The home of the command that is running; an office without its vault beside it has parts of its own."""
    from sealhost.cli.office import OfficeHome

    folder = click.get_current_context().find_root().obj
    alone = config.load(folder).packs.keys() == {config.OFFICE}
    return OfficeHome(folder) if alone else Home(folder)
