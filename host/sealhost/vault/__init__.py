"""Write-once storage named by digest; the only code that writes evidence."""

from sealhost.vault.places import Vault, VaultDraft
from sealhost.vault.store import BODIES, QUARANTINE, Draft, ReadBack, Store, StoredPart

__all__ = ["BODIES", "QUARANTINE", "Draft", "ReadBack", "Store", "StoredPart", "Vault", "VaultDraft"]
