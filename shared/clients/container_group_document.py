"""The body of a PUT that changes nothing of a container group but what it is meant to change.

A PUT replaces the whole group, and what it does not say is gone. GET shows no secure value: each is
found here by where it belongs, and none is left out in silence. References to a vault
(`secureValueReference` and its like, since 2025-09-01) and identities come back as they were.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.clients.lenient_json import as_object, as_objects, text

# What only answers hold.
_OF_ANSWERS = frozenset({"id", "name", "type", "systemData", "etag"})
_OF_ANSWERS_INSIDE = frozenset({"provisioningState", "instanceView", "isCreatedFromStandbyPool"})
_KINDS = ("containers", "initContainers")


@dataclass(frozen=True, kw_only=True)
class Secure:
    """A secure value that a PUT has to say: where it belongs, and under which name it is said.

    `holder` is the object in the document; `can_be_told` is false for what no text can be.
    """

    field: str
    holder: dict[str, Any]
    name: str
    can_be_told: bool = True


class GroupDocument:
    """A copy of a group as GET showed it, without what only answers hold, to be changed and PUT."""

    def __init__(self, shown: Mapping[str, Any]) -> None:
        whole = copy.deepcopy(dict(shown))
        self._body = {name: each for name, each in whole.items() if name not in _OF_ANSWERS}
        properties = as_object(self._body.get("properties"))
        self._properties: dict[str, Any] = {
            name: each for name, each in properties.items() if name not in _OF_ANSWERS_INSIDE
        }
        self._body["properties"] = self._properties
        self._drop_views()
        self._drop_address()
        self._drop_identity()

    @property
    def body(self) -> dict[str, Any]:
        """What is PUT."""
        return self._body

    def set_image(self, container: str, image: str) -> None:
        """Let a container run another image."""
        for each in self._of_kind("containers"):
            if each.get("name") == container:
                each["properties"]["image"] = image

    def set_tag(self, name: str, value: str) -> None:
        """Mark the group."""
        self._body["tags"] = {**as_object(self._body.get("tags")), name: value}

    def missing(self, declared: Mapping[str, str]) -> tuple[str, ...]:
        """Return the fields of secure values that no secret is declared for, each once."""
        return tuple(
            dict.fromkeys(
                each.field
                for each in self._secure_values(declared)
                if not each.can_be_told or each.field not in declared
            )
        )

    def supply(self, values: Mapping[str, str], declared: Mapping[str, str]) -> None:
        """Say the secure values again. `values`: by field, all that `declared` names."""
        for each in self._secure_values(declared):
            each.holder[each.name] = values[each.field]

    def needed(self, declared: Mapping[str, str]) -> tuple[str, ...]:
        """Return the fields of all secure values, each once."""
        return tuple(dict.fromkeys(each.field for each in self._secure_values(declared)))

    def _secure_values(self, declared: Mapping[str, str]) -> Iterator[Secure]:
        yield from self._of_environments()
        yield from self._of_registries()
        yield from self._of_volumes(declared)
        yield from self._of_the_rest()

    def _of_environments(self) -> Iterator[Secure]:
        for kind in _KINDS:
            for container in self._of_kind(kind):
                inner = as_object(container.get("properties"))
                for variable in as_objects(inner.get("environmentVariables")):
                    if variable.get("value") is None and not variable.get("secureValueReference"):
                        field = f"{kind}/{text(container, 'name')}/environmentVariables"
                        name = text(variable, "name")
                        yield _secure(f"{field}/{name}", variable, "secureValue")

    def _of_registries(self) -> Iterator[Secure]:
        for login in self._of_kind("imageRegistryCredentials"):
            # One with an identity asks for no password.
            if not (login.get("identity") or login.get("passwordReference")):
                field = f"imageRegistryCredentials/{text(login, 'server')}/password"
                yield _secure(field, login, "password")

    def _of_volumes(self, declared: Mapping[str, str]) -> Iterator[Secure]:
        for volume in self._of_kind("volumes"):
            field, share = f"volumes/{text(volume, 'name')}", volume.get("azureFile")
            if isinstance(share, dict) and not share.get("storageAccountKeyReference"):
                yield _secure(f"{field}/azureFile/storageAccountKey", share, "storageAccountKey")
            files = volume.get("secret")
            if isinstance(files, dict):
                yield from _of_files(f"{field}/secret", files, declared)

    def _of_the_rest(self) -> Iterator[Secure]:
        analytics = as_object(as_object(self._properties.get("diagnostics")).get("logAnalytics"))
        if analytics and isinstance(analytics, dict):
            yield _secure("diagnostics/logAnalytics/workspaceKey", analytics, "workspaceKey")
        for extension in self._of_kind("extensions"):
            field = f"extensions/{text(extension, 'name')}/protectedSettings"
            yield Secure(field=field, holder=extension, name="", can_be_told=False)

    def _of_kind(self, name: str) -> list[dict[str, Any]]:
        found = self._properties.get(name)
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    def _drop_views(self) -> None:
        for kind in _KINDS:
            for container in self._of_kind(kind):
                properties = as_object(container.get("properties"))
                inner = {name: v for name, v in properties.items() if name != "instanceView"}
                container["properties"] = inner

    def _drop_address(self) -> None:
        """Keep a private address: a public one is Azure's to give."""
        address = self._properties.get("ipAddress")
        if not isinstance(address, dict):
            return
        given = {"fqdn"} if text(address, "type") == "Private" else {"fqdn", "ip"}
        self._properties["ipAddress"] = {n: v for n, v in address.items() if n not in given}

    def _drop_identity(self) -> None:
        identity = self._body.get("identity")
        if not isinstance(identity, dict):
            return
        assigned = as_object(identity.get("userAssignedIdentities"))
        kept: dict[str, Any] = {"type": identity.get("type")}
        if assigned:
            kept["userAssignedIdentities"] = {each: {} for each in assigned}
        self._body["identity"] = kept


def _secure(field: str, holder: Mapping[str, Any], name: str) -> Secure:
    # It is this document's own copy.
    return Secure(field=field, holder=holder if isinstance(holder, dict) else {}, name=name)


def _of_files(field: str, files: dict[str, Any], declared: Mapping[str, str]) -> Iterator[Secure]:
    """Find the files of a secret volume: GET shows neither their contents nor, so far, their names."""
    named = [each.rpartition("/")[2] for each in declared if each.startswith(f"{field}/")]
    for name in dict.fromkeys((*files, *named)):
        yield _secure(f"{field}/{name}", files, name)
    if not files and not named:
        yield _secure(f"{field}/*", files, "*")
