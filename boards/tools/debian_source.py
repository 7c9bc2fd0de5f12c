"""Fetch one pinned Debian source package from the mirror this machine already uses, and unpack it.

Asks apt with lists and a cache of its own under build/, so the system's apt is not touched. Believes only the
digests pinned below, whatever the mirror says. Standard library only: it runs before there is a venv.

usage: debian_source.py micropython|mbedtls DESTINATION
"""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

SUITE = "trixie"  # where the pinned versions live, on Debian 12 hosts too
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PINNED = {  # package: (version, {file: SHA-256})
    "micropython": (
        "1.25.0+ds-1",
        {
            "micropython_1.25.0+ds.orig.tar.xz": (
                "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea"
            ),
            "micropython_1.25.0+ds-1.debian.tar.xz": (
                "87cd89f7900c86b963885dabe25acf3e5348815993f1500278ad8f6464465af4"
            ),
        },
    ),
    "mbedtls": (
        "3.6.6-0.1~deb13u1",
        {
            "mbedtls_3.6.6.orig.tar.bz2": "8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a",
            "mbedtls_3.6.6-0.1~deb13u1.debian.tar.xz": (
                "210466c522eeebc85cf2f76bd5aef935b4ebac465559cc0a84f9e73a8ed6601c"
            ),
        },
    ),
}
WAY_OUT = {
    "micropython": "set MICROPYTHON_SRC= to a MicroPython 1.25.0 checkout, or MICROPYTHON= to a unix binary"
    " built with MICROPY_PY_CRYPTOLIB_CTR=1",
    "mbedtls": "set MBEDTLS_SRC= to an unpacked mbedtls 3.6 source tree",
}


class Unavailable(Exception):
    """What the mirror could not give, and what to do instead."""


def main(package: str, destination: Path) -> None:
    """Leave the unpacked tree at `destination`, or say why not and leave nothing there."""
    version, digests = PINNED[package]
    work = destination.parent / f"{package}.fetched"
    mirror = debian_mirror(Path("/etc/apt"))
    print(f"setup: fetching the source of {package} {version} from this machine's Debian mirror", flush=True)
    download(package, version, mirror, work)
    for name, digest in digests.items():
        check_digest(work / name, digest)
    unpack(work, package, destination)


def debian_mirror(apt: Path) -> str:
    """The URI this machine takes Debian itself from: deb822 `*.sources` first, then one-line `*.list`."""
    lists = sorted((apt / "sources.list.d").glob("*.list"))
    stanzas = [entry for path in sorted((apt / "sources.list.d").glob("*.sources")) for entry in deb822(path)]
    stanzas += [entry for path in [apt / "sources.list", *lists] if path.exists() for entry in one_line(path)]
    codenames = {"bookworm", "trixie", "forky", "sid", "testing", "stable"}
    for uri, suites in stanzas:
        if codenames & set(suites):
            return uri
    raise Unavailable("no Debian mirror found in /etc/apt")


def deb822(path: Path) -> list[tuple[str, list[str]]]:
    """Pairs of URI and suites of one deb822 file; sources.list(5)."""
    found = []
    for stanza in re.split(r"\n\s*\n", path.read_text()):
        fields = {}
        for line in stanza.splitlines():
            if ":" in line and not line.startswith(("#", " ", "\t")):
                key, value = line.split(":", 1)
                fields[key.strip().lower()] = value.split()
        if fields.get("uris") and fields.get("enabled") != ["no"]:
            found.append((fields["uris"][0], fields.get("suites", [])))
    return found


def one_line(path: Path) -> list[tuple[str, list[str]]]:
    """Pairs of URI and suites of one sources.list file; sources.list(5)."""
    pattern = re.compile(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", re.M)
    return [(uri, [suite]) for uri, suite in pattern.findall(path.read_text())]


def download(package: str, version: str, mirror: str, work: Path) -> None:
    """Files of the source package into `work`."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    signed = f" [signed-by={KEYRING}]" if Path(KEYRING).exists() else ""
    (work / "sources.list").write_text(f"deb-src{signed} {mirror} {SUITE} main\n")
    options = {
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::sourcelist": str((work / "sources.list").resolve()),
        "Dir::State::lists": str((work / "lists").resolve()),
        "Dir::Cache": str((work / "cache").resolve()),
        "APT::Get::List-Cleanup": "0",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq"] + [f"-o{key}={value}" for key, value in options.items()]
    for command in (["update"], ["source", "--download-only", f"{package}={version}"]):
        done = subprocess.run(apt + command, cwd=work, capture_output=True, text=True)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            where = f"this machine's Debian mirror ({mirror})"
            raise Unavailable(f"{where} does not carry {package} {version} ({why})")


def check_digest(path: Path, digest: str) -> None:
    """Refuse a file that is not the pinned one."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != digest:
        path.unlink()
        raise Unavailable(f"{path.name} has SHA-256 {found}, pinned is {digest}; it was removed")


def unpack(work: Path, package: str, destination: Path) -> None:
    """Unpack beside, then rename: a tree under its own name is whole."""
    aside = destination.with_suffix(".aside")
    for stale in (aside, destination):
        shutil.rmtree(stale, ignore_errors=True)
    (dsc,) = work.glob(f"{package}_*.dsc")
    subprocess.run(["dpkg-source", "--no-check", "-x", dsc, aside], check=True, stdout=subprocess.DEVNULL)
    for copy in aside.parent.glob(f"{package}_*.orig.tar.*"):
        copy.unlink()  # dpkg-source leaves one beside the tree
    aside.rename(destination)


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except Unavailable as reason:
        print(f"setup: {reason}", file=sys.stderr)
        print(f"setup: instead, {WAY_OUT[sys.argv[1]]}", file=sys.stderr)
        sys.exit(1)
