"""The X.509 certificates strangers check our keys by; no camera parses one.

The root certifies the hosts' keys and the enrolment key, which certifies cameras. Bytes in, bytes out. RFC
5280.
"""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from sealhost.errors import BadSignature, BadStatement, KeyTrouble
from sealhost.keys import SoftKey, decode_point

Public = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
_AGREES = ("evidence", "escrow", "verify", "link")
_YEARS = timedelta(days=36525)  # evidence outlives offices; a key ends with the key list, not with a date


def make_root(key: SoftKey) -> bytes:
    """The root's own certificate, PEM."""
    name = _name("root", key.key_id)
    built = _builder(name, name, decode_point(key.point), _usage(is_authority=True)).add_extension(
        x509.BasicConstraints(ca=True, path_length=1), critical=True
    )
    return _signed(built, key)


def issue(role: str, public: Public, root: SoftKey, root_pem: bytes) -> bytes:
    """A certificate of the root for a key of this role, PEM; `enrolment` may certify cameras."""
    is_authority = role == "enrolment"
    issuer = x509.load_pem_x509_certificate(root_pem).subject
    usage = _usage(is_authority, agrees=role in _AGREES)
    built = _builder(_name(role, root.key_id), issuer, public, usage).add_extension(
        x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True
    )
    return _signed(built, root)


def _name(role: str, organisation: bytes) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"sealcam {role} {organisation.hex()[:16]}")])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: Public, usage: x509.KeyUsage
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    built = built.serial_number(x509.random_serial_number())
    built = built.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + _YEARS)
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    return built.add_extension(usage, critical=True).add_extension(identifier, critical=False)


def _usage(is_authority: bool = False, agrees: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not agrees and not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=agrees,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(built: x509.CertificateBuilder, key: SoftKey) -> bytes:
    private = serialization.load_pem_private_key(key.pem(), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise KeyTrouble("an issuing key", "it is not a P-256 key")
    return built.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def load(content: bytes) -> x509.Certificate:
    """A certificate from PEM or DER; BadStatement when it is none."""
    try:
        if content.startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(content)
        return x509.load_der_x509_certificate(content)
    except ValueError:
        raise BadStatement("it is no X.509 certificate") from None


def point_of(certificate: bytes) -> bytes:
    """The 65 bytes a certificate speaks for; BadStatement when it is no P-256 key."""
    public = load(certificate).public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise BadStatement("a certificate for a key of another curve")
    form = serialization.PublicFormat.UncompressedPoint
    return public.public_bytes(serialization.Encoding.X962, form)


def check(certificate: bytes, issuer: bytes) -> None:
    """That `issuer` signed it, may sign, and bears the name it gives; BadSignature or BadStatement."""
    own, above = load(certificate), load(issuer)
    try:
        may_sign = above.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        own.verify_directly_issued_by(above)
    except (InvalidSignature, ValueError, TypeError):
        raise BadSignature("a certificate") from None
    except x509.ExtensionNotFound:
        may_sign = False
    if not may_sign:
        raise BadStatement("a certificate by a key that may not certify")
