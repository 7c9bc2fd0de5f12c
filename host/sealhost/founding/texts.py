"""What `init` writes for people: the TOML of each pack, and the notes beside keys and shares.

Words only; which keys there are is decided in `packs`.
"""

from sealhost.config import DEMO, OFFICE, PACKS, ROOT

_TOML_ROOT = """# The root pack: the key everything else hangs on.
# Keep it offline; it is needed for a new key list or policy.
pack = "root"
organisation = "{organisation}"
{demo}
[keys]
root = "keys/root.p12"                  # P-256 under the passphrase of the root

[certificates]
root = "certificates/root.crt"
escrow = "certificates/escrow.crt"

[files]
root_point = "root.point"               # 65 bytes: what cameras know the organisation by
keylist = "keylist.seal"                # version 1, signed by the root
policy = "policy.seal"                  # version 1, signed by the root
shares = "escrow"                       # put each share into its own sealed envelope, then delete these files
{passphrase}"""
_TOML_OFFICE = """# The office pack: what opens recordings, releases quarantined ones and certifies cameras.
# Never on the vault host.
pack = "office"
organisation = "{organisation}"
{demo}
[databases]
custody = "custody.sqlite"              # the office's own diary: who viewed what, and when; never delete it
catalogue = "catalogue.sqlite"          # what was lent to it, with place and description

[keys]                                  # P-256, each under the passphrase of the office
evidence = "keys/evidence.p12"          # opens recordings
release = "keys/release.p12"            # signs releases and drills
enrolment = "keys/enrolment.p12"        # certifies cameras
diary = "keys/diary.pem"                # Ed25519, signs the diary

[certificates]
root = "certificates/root.crt"
evidence = "certificates/evidence.crt"
release = "certificates/release.crt"
enrolment = "certificates/enrolment.crt"
diary = "certificates/diary.crt"

[files]
root_point = "root.point"
keylist = "keylist.seal"
policy = "policy.seal"
checkpoint_vkey = "diary.vkey"          # give this to whoever is to check the diary
# where this machine sees the vault's stores and its folder `loans`, read-only; to look, it needs both
vault = "vault"
{passphrase}"""
_TOML_VAULT = """# The vault pack: proves, stores, receipts and wipes; cannot open a recording.
# Its keys start alone, so they have no passphrase: the folder is for one user of one machine.
pack = "vault"
organisation = "{organisation}"
{demo}
[stores]
# two or more folders; put them on different disks before the first card
places = ["store-1", "store-2"]

[databases]
custody = "custody.sqlite"              # who did what, and when; never delete it
catalogue = "catalogue.sqlite"          # may be deleted; `sealcam audit` builds it again
register = "register.sqlite"            # cameras

[keys]
verify = "keys/verify.pem"              # opens verify slots and logs
receipt = "keys/receipt.pem"            # signs receipts, which wipe
time = "keys/time.pem"                  # signs time for cameras
certificate = "keys/certificate.pem"    # signs wipe certificates
link = "keys/link.pem"                  # the host's half of a dock session
checkpoint = "keys/checkpoint.pem"      # Ed25519, signs the custody log
erasure = "keys/erasure.key"            # wraps the key table; keep it out of every backup

[certificates]
root = "certificates/root.crt"
enrolment = "certificates/enrolment.crt"
verify = "certificates/verify.crt"
receipt = "certificates/receipt.crt"
time = "certificates/time.crt"
certificate = "certificates/certificate.crt"
link = "certificates/link.crt"
checkpoint = "certificates/checkpoint.crt"

[files]
root_point = "root.point"
keylist = "keylist.seal"
policy = "policy.seal"
checkpoint_vkey = "checkpoint.vkey"     # give this to whoever is to check the custody log
loans = "loans"                         # what `sealcam lend` gives the evidence office
"""
_TOML_DEMO = """# A demonstration: the three packs side by side, which no organisation would do.
pack = "demo"

[packs]
root = "root"
office = "office"
vault = "vault"
"""
DEMO_NOTE = """This was made by `sealcam init --demo`.
Root, evidence office and vault stand side by side here, and the passphrases lie in files next to the
keys they open.
Nothing under these keys is protected from anybody who can read this folder.
"""
_SHARE = """# Escrow share {number} of {shares}.
# Any {needed} of them open every recording of organisation {organisation}.
# Put it into an envelope of its own, seal it, give it to one person, and delete this file.
{mnemonic}
"""
_PASSPHRASE = """# DEMONSTRATION ONLY: this passphrase lies beside the keys it opens, so it protects nothing.
{words}
"""
_STORE = """# A place of the vault.
# Without this file a disk counts as not mounted, and nothing is written to it.
organisation = "{organisation}"
place = {number}
"""


def toml_of(kind: str, organisation: bytes, demo: bool) -> bytes:
    """`sealcam.toml` of a pack."""
    text = {ROOT: _TOML_ROOT, OFFICE: _TOML_OFFICE, DEMO: _TOML_DEMO}.get(kind, _TOML_VAULT)
    if kind not in PACKS:
        return text.encode()
    mark = "# made by `init --demo`; never turn a demo into the real thing\ndemo = true\n"
    passphrase = 'passphrase = "passphrase.txt"           # demonstration only\n' if demo else ""
    return text.format(
        organisation=organisation.hex(), demo=mark if demo else "", passphrase=passphrase
    ).encode()


def share(number: int, shares: int, needed: int, organisation: bytes, mnemonic: str) -> bytes:
    """One share file."""
    return _SHARE.format(
        number=number, shares=shares, needed=needed, organisation=organisation.hex()[:16], mnemonic=mnemonic
    ).encode()


def passphrase(words: str) -> bytes:
    """The passphrase file of a demo pack."""
    return _PASSPHRASE.format(words=words).encode()


def store(number: int, organisation: bytes) -> bytes:
    """The marker of a store place."""
    return _STORE.format(number=number, organisation=organisation.hex()).encode()
