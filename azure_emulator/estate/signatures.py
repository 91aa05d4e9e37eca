"""Signatures (SAS) that let whoever has them read a container of a storage account.

Source: learn.microsoft.com/rest/api/storageservices/create-service-sas. What is signed here is container,
rights and expiry; the text that is signed is not Azure's.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from azure_emulator.clock import zulu

_LIFETIME_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class Signatures:
    """Makes and checks signatures that are good for an hour."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def sign(self, account: str, container: str) -> str:
        """Return the query of a signature that lets read and list a container."""
        expiry = zulu(time.time() + _LIFETIME_SECONDS)
        signed = {"sv": "2023-11-03", "sr": "c", "sp": "rl", "se": expiry}
        return urlencode({**signed, "sig": self._signature(account, container, signed)})

    def hold(self, account: str, container: str, query: Mapping[str, str]) -> bool:
        """Whether a query holds a signature for this container that has not expired."""
        signed = {name: query.get(name, "") for name in ("sv", "sr", "sp", "se")}
        wanted = self._signature(account, container, signed)
        fresh = query.get("se", "") > zulu(time.time())
        return fresh and hmac.compare_digest(wanted.encode(), query.get("sig", "").encode())

    def _signature(self, account: str, container: str, signed: Mapping[str, str]) -> str:
        text = "\n".join((account, container, *signed.values()))
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
