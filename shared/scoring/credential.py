"""How a probe signs in to a service: by the name of a key, never by a key."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.scoring.address import check_header
from shared.scoring.declared import Declared
from shared.scoring.key_material import check_secret_name

# A token for one of these lets whoever gets it act as the service principal in Azure itself.
_OF_AZURE_ITSELF: Final = re.compile(
    r"(management|graph|vault|storage|database|servicebus|eventhubs|batch|dev)\b.*"
    r"|(.*\.)?(core|windows|microsoftgraph|microsoft)\..*",
    re.IGNORECASE,
)

# The server application of AKS, the same in all tenants (Azure/kubelogin, docs/book/src/concepts/aks.md).
_AKS_SERVER: Final = "6dae42f8-4368-4678-94ff-3960e28e3630"


def _audience(text: str) -> str:
    """Refuse the audiences of Azure's own services."""
    if text.lower().removeprefix("api://").startswith(_AKS_SERVER):
        raise ValueError("is AKS itself: a token for it would hand over the service principal")
    if text.startswith("https://") and _OF_AZURE_ITSELF.fullmatch(urlsplit(text).hostname or ""):
        raise ValueError(
            "is a service of Azure itself: a token for it would hand over the service principal"
        )
    return text


# Checked by the validator, not by a pattern: its message advises, and repeats nothing.
SecretName = Annotated[
    str,
    AfterValidator(check_secret_name),
    Field(json_schema_extra={"pattern": "^[0-9A-Za-z-]{1,127}$"}),
]


class Credential(Declared):
    """How a probe signs in: by exactly one of the first three fields."""

    secret: SecretName | None = Field(
        default=None, description="Name of the Key Vault secret that holds the key; never the key."
    )
    from_azure: Literal["key", "token"] | None = Field(
        default=None,
        description="The `key` (listKeys) or `token` that Azure gives out for it; needs "
        "`resource_id`, kinds `aml-v1` and `aml-online`.",
    )
    entra_audience: (
        Annotated[
            str,
            StringConstraints(pattern=r"^((https|api)://[^\s?#]+|[0-9a-fA-F-]{36})$"),
            AfterValidator(_audience),
        ]
        | None
    ) = Field(
        default=None,
        description="Audience of an Entra token of the service principal, e.g. "
        "`https://ml.azure.com`; never one of Azure's own management services.",
    )
    header: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$"), AfterValidator(check_header)
    ] = Field(default="Authorization", description="The request's header that carries it.")
    scheme: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{0,20}$")] = Field(
        default="Bearer", description="The word before it; empty: the key alone."
    )
    allow_plain_http: bool = Field(
        default=False,
        description="Send it over `http://`, where anybody on the way can read it. Loopback "
        "needs no permission.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [self.secret, self.from_azure, self.entra_audience]
        if sum(each is not None for each in given) != 1:
            raise ValueError("give exactly one of secret, from_azure and entra_audience")
        return self
