"""One TOML a pack, read once, refused whole when a line is wrong.

A pack is a folder with a `sealcam.toml` that says what it is: root, office or vault, which are meant for
three places; or demo, which names all three. Here are paths only: no key is opened and no store touched.
"""

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from sealhost.bays import AnnounceSettings, DockSettings, announce_settings, dock_settings
from sealhost.errors import ConfigBroken, ConfigMissing, KeyExposed, KeyMissing

FILE_NAME = "sealcam.toml"
STORE_MARKER = "sealcam-store.toml"
DEMO_MARKER = "DEMO"
ROOT, OFFICE, VAULT, DEMO = "root", "office", "vault", "demo"
PACKS = (ROOT, OFFICE, VAULT)
# which pack may name which key
KEYS = {
    ROOT: {"root"},
    OFFICE: {"evidence", "release", "enrolment", "diary"},
    VAULT: {"verify", "receipt", "time", "certificate", "link", "checkpoint", "erasure"},
}
_ASKED = (VAULT, OFFICE, ROOT)  # where a demo is all three, the vault's log and catalogue are the ones
_OPENING = ("root", "evidence")  # the vault host must not be able to read these
_TABLES = {"keys", "certificates", "files", "databases", "stores"}
_VAULT_TABLES = {"dock", "announce"}  # only where cameras are docked


@dataclass(frozen=True)
class Pack:
    """One pack: its folder and the paths its file names, by role."""

    kind: str
    folder: Path
    organisation: bytes
    demo: bool
    keys: dict[str, Path] = field(default_factory=dict)
    certificates: dict[str, Path] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    databases: dict[str, Path] = field(default_factory=dict)
    stores: tuple[Path, ...] = ()
    dock: DockSettings = DockSettings()
    announce: AnnounceSettings | None = None


@dataclass(frozen=True)
class Config:
    """What this home holds: one pack, or under demo all three."""

    home: Path
    demo: bool
    organisation: bytes
    packs: dict[str, Pack]

    def pack(self, kind: str) -> Pack:
        """A pack of this kind; ConfigBroken when this home is another's."""
        if kind not in self.packs:
            raise ConfigBroken(self.home, f"this needs the {kind} pack; here is {', '.join(self.packs)}")
        return self.packs[kind]

    def has_key(self, role: str) -> bool:
        """Whether a pack of this home names a key of this role and the file is there."""
        return any(role in pack.keys and pack.keys[role].exists() for pack in self.packs.values())

    def key(self, role: str) -> Path:
        """The key file of a role; KeyMissing when no pack here names one."""
        return self._named("keys", role)

    def certificate(self, role: str) -> Path:
        """The X.509 certificate of a role (PEM)."""
        return self._named("certificates", role)

    def file(self, name: str) -> Path:
        """`keylist`, `policy`, `root_point`, `passphrase`, `checkpoint_vkey`; folders: `shares`, `loans`
        (what the vault lends the office), `vault` (what the office sees of the vault).
        """
        return self._named("files", name)

    def database(self, name: str) -> Path:
        """`custody`, `catalogue` or `register` of the vault; without one here the office's own."""
        return self._named("databases", name)

    def _named(self, table: str, name: str) -> Path:
        for kind in _ASKED:
            if kind in self.packs and name in getattr(self.packs[kind], table):
                return Path(getattr(self.packs[kind], table)[name])
        raise KeyMissing(f"{self.home}: {name}")

    def passphrase(self, role: str) -> str | None:
        """The passphrase of a key in a demonstration, from the file beside it; None in earnest."""
        for pack in self.packs.values():
            if role in pack.keys and "passphrase" in pack.files:
                lines = pack.files["passphrase"].read_text(encoding="utf-8").splitlines()
                return "".join(line for line in lines if not line.startswith("#")).strip()
        return None

    @property
    def stores(self) -> tuple[Path, ...]:
        """The places of the vault."""
        return self.pack(VAULT).stores


def home_of(given: str | Path | None = None) -> Path:
    """--home, else $SEALCAM_HOME, else here."""
    return Path(given or os.environ.get("SEALCAM_HOME") or ".").absolute()


def load(home: str | Path | None = None) -> Config:
    """Read a home; ConfigMissing, ConfigBroken, or KeyExposed when a vault could open what it keeps."""
    folder = home_of(home)
    top = _read(folder / FILE_NAME)
    if top.get("pack") == DEMO:
        return _load_demo(folder, top)
    pack = _pack(folder, top)
    if pack.kind == VAULT and not pack.demo:
        _refuse_exposed(folder)
    return Config(folder, pack.demo, pack.organisation, {pack.kind: pack})


def as_founded(folder: Path) -> Config:
    """The three packs side by side, right after they were made: for the first entry of their logs only."""
    packs = {kind: _pack(folder / kind, _read(folder / kind / FILE_NAME)) for kind in PACKS}
    return Config(folder, packs[ROOT].demo, packs[ROOT].organisation, packs)


def _load_demo(folder: Path, top: dict[str, object]) -> Config:
    named = top.get("packs")
    if not isinstance(named, dict) or set(named) != set(PACKS) or set(top) != {"pack", "packs"}:
        raise ConfigBroken(
            folder / FILE_NAME, "a demo names its packs root, office and vault, and nothing else"
        )
    packs = {}
    for kind in PACKS:
        place = folder / _word(folder / FILE_NAME, f"packs.{kind}", named[kind])
        packs[kind] = _pack(place, _read(place / FILE_NAME))
        if packs[kind].kind != kind or not packs[kind].demo:
            raise ConfigBroken(place / FILE_NAME, f"it is not the {kind} pack of a demo")
    if len({pack.organisation for pack in packs.values()}) != 1:
        raise ConfigBroken(folder / FILE_NAME, "its packs are of different organisations")
    return Config(folder, True, packs[ROOT].organisation, packs)


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigMissing(path.parent) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ConfigBroken(path, f"not TOML: {wrong}") from None
    except OSError as trouble:
        raise ConfigBroken(path, trouble.strerror) from None


def _pack(folder: Path, top: dict[str, object]) -> Pack:
    path = folder / FILE_NAME
    kind, demo = top.get("pack"), top.get("demo", False)
    if kind not in PACKS:
        raise ConfigBroken(path, "`pack` must be root, office, vault or demo")
    known = _TABLES | {"pack", "demo", "organisation"} | (_VAULT_TABLES if kind == VAULT else set())
    unknown = set(top) - known
    if unknown:
        raise ConfigBroken(path, f"`{sorted(unknown)[0]}` is not known")
    if not isinstance(demo, bool):
        raise ConfigBroken(path, "`demo` must be true or false")
    organisation = _organisation(path, top.get("organisation"))
    keys = _paths(path, top, "keys")
    wrong = set(keys) - KEYS[str(kind)]
    if wrong:
        raise ConfigBroken(path, f"keys.{sorted(wrong)[0]} does not belong in a {kind} pack")
    return Pack(
        kind=str(kind),
        folder=folder,
        organisation=organisation,
        demo=demo,
        keys=keys,
        certificates=_paths(path, top, "certificates"),
        files=_paths(path, top, "files"),
        databases=_paths(path, top, "databases"),
        stores=_stores(path, str(kind), top),
        dock=dock_settings(path, top.get("dock")),
        announce=announce_settings(path, top.get("announce")),
    )


def _organisation(path: Path, value: object) -> bytes:
    try:
        organisation = bytes.fromhex(_word(path, "organisation", value))
    except ValueError:
        organisation = b""
    if len(organisation) != 32:
        raise ConfigBroken(path, "`organisation` must be 64 hex digits")
    return organisation


def _paths(path: Path, top: dict[str, object], table: str) -> dict[str, Path]:
    named = top.get(table, {})
    if not isinstance(named, dict):
        raise ConfigBroken(path, f"[{table}] must be a table")
    return {name: path.parent / _word(path, f"{table}.{name}", value) for name, value in named.items()}


def _stores(path: Path, kind: str, top: dict[str, object]) -> tuple[Path, ...]:
    table = top.get("stores", {})
    places = table.get("places", []) if isinstance(table, dict) else None
    if not isinstance(places, list) or (isinstance(table, dict) and set(table) - {"places"}):
        raise ConfigBroken(path, "[stores] holds `places`, a list of folders, and nothing else")
    stores = tuple(path.parent / _word(path, "stores.places", place) for place in places)
    if kind == VAULT and len({store.resolve() for store in stores}) < 2:
        raise ConfigBroken(path, "a vault needs at least two different stores.places")
    if kind != VAULT and stores:
        raise ConfigBroken(path, f"a {kind} pack has no stores")
    return stores


def _word(path: Path, name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigBroken(path, f"`{name}` must be a word in quotes")
    return value


def _refuse_exposed(vault: Path) -> None:
    """Look in the vault's own folder and in its neighbours for what must be somewhere else."""
    for folder in (vault, *(path.parent for path in sorted(vault.parent.glob(f"*/{FILE_NAME}")))):
        for role in _OPENING:
            for path in (*(folder / "keys").glob(f"{role}.*"), *(folder / "keys").glob(f"{role}-*.*")):
                if path.suffix in (".p12", ".pem", ".key") and os.access(path, os.R_OK):
                    raise KeyExposed(path)
