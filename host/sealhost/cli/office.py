"""An evidence office that stands apart from its vault: its own diary and catalogue, and the vault's stores
and loans as it sees them.
"""

from functools import cached_property

from sealhost import certificates, keyring
from sealhost.catalogue import Catalogue
from sealhost.cli.wiring import Home, content
from sealhost.custody import Custody
from sealhost.custody.diary import open_diary
from sealhost.errors import Refused
from sealhost.loans import Counter
from sealhost.quarantine import Quarantine
from sealhost.statements import CERTIFICATE_KEY
from sealhost.vault import QUARANTINE, Vault


class OfficeHome(Home):
    """The parts of an office pack, by the names that commands ask for."""

    @cached_property
    def counter(self) -> Counter:
        """What the vault shows of itself."""
        paths = keyring.held(self.config.certificate("enrolment"))
        enrolments, root = [content(path) for path in paths], content(self.config.certificate("root"))
        for enrolment in enrolments:
            certificates.check(enrolment, root)
        known = keyring.lists(self.config.file("keylist"), self.root_point)
        points = [point for listed in known if (point := listed.point(CERTIFICATE_KEY))]
        return Counter(self.config.file("vault"), list(dict.fromkeys(points)), enrolments)

    @cached_property
    def custody(self) -> Custody:
        """The diary."""
        opened = open_diary(self.config)
        opened.refuse_a_rollback()
        return opened

    @cached_property
    def catalogue(self) -> Catalogue:
        """The office's own, with every loan in it."""
        catalogue = Catalogue(self.config.database("catalogue"))
        for loan in self.counter.all():
            catalogue.put(loan.recording)
        return catalogue

    @cached_property
    def vault(self) -> Vault:
        return self.counter.shelf()

    @property
    def keytables(self) -> Counter:  # type: ignore[override]
        """A loan holds what a row of the key table holds."""
        return self.counter

    @cached_property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.counter.shelf(QUARANTINE))

    @property
    def register(self) -> None:  # type: ignore[override]
        """The register is the vault's."""
        return None

    def device_point(self, device_id: bytes) -> bytes | None:
        """The point of a camera, from the certificate in a loan."""
        return self.counter.device_point(device_id)

    def desk(self) -> None:  # type: ignore[override]
        """What docks, lends and audits is the vault."""
        raise Refused("this needs the vault pack; here is the evidence office's")
