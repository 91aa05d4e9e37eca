"""The emulator's container registry, asked by hand as Azure's is."""

import hashlib
from dataclasses import dataclass

import pytest

from tests.support.emulator import EmulatorProcess
from tests.support.wire import Reply, managed_identity_token

MANIFEST = "/v2/r/weight/manifests/1"
SCOPE = "repository:r/weight:pull"
AUDIENCE = "https://containerregistry.azure.net"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The registry of an emulator that has one image, `r/weight:1`."""

    emulator: EmulatorProcess

    @property
    def host(self) -> str:
        return self.emulator.url.removeprefix("https://").rstrip("/")

    def head(self, path: str = MANIFEST, *, token: str | None = None) -> Reply:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.emulator.wire.send("HEAD", path, headers=headers)

    def exchange(self, entra_token: str, **changes: str) -> Reply:
        form = {"grant_type": "access_token", "service": self.host, "access_token": entra_token}
        return self.emulator.wire.post_form("/oauth2/exchange", form | changes)

    def token(self, refresh_token: str, **changes: str) -> Reply:
        form = {
            "grant_type": "refresh_token",
            "service": self.host,
            "scope": SCOPE,
            "refresh_token": refresh_token,
        }
        return self.emulator.wire.post_form("/oauth2/token", form | changes)

    def signed_in(self, *, scope: str = SCOPE, audience: str = AUDIENCE) -> str:
        refresh = self.exchange(self.emulator.arm_token(audience)).json()["refresh_token"]
        found: str = self.token(refresh, scope=scope).json()["access_token"]
        return found


@pytest.fixture
def registry(emulator: EmulatorProcess) -> Registry:
    made = Registry(emulator=emulator)
    emulator.seed({"images": {f"{made.host}/r/weight:1": {}}})
    return made


def test_a_challenge_names_where_and_for_what_a_token_is_given(registry: Registry) -> None:
    answer = registry.head()

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == (
        f'Bearer realm="https://{registry.host}/oauth2/token",service="{registry.host}",'
        f'scope="{SCOPE}"'
    )


@pytest.mark.parametrize("audience", [AUDIENCE, "https://management.azure.com"])
def test_who_signed_in_is_told_the_digest_by_tag_and_by_digest(
    registry: Registry, audience: str
) -> None:
    token = registry.signed_in(audience=audience)
    by_tag = registry.head(token=token)
    digest = by_tag.headers["docker-content-digest"]
    by_digest = registry.head(f"/v2/r/weight/manifests/{digest}", token=token)

    assert digest == registry.emulator.state()["images"][f"{registry.host}/r/weight:1"]
    assert (by_tag.status, by_digest.status) == (200, 200)
    assert by_digest.headers["docker-content-digest"] == digest


def test_a_token_opens_its_own_repository_alone(registry: Registry) -> None:
    other = registry.signed_in(scope="repository:r/height:pull")

    assert registry.head(token=other).status == 401
    assert registry.head("/v2/r/height/manifests/1", token=other).status == 404


def test_who_has_no_right_gets_a_token_that_opens_nothing(registry: Registry) -> None:
    registry.emulator.seed(
        {
            "images": {f"{registry.host}/r/weight:1": {}},
            "access": {"service_principal": [{"actions": ["Microsoft.Resources/*"]}]},
        }
    )

    assert registry.head(token=registry.signed_in()).status == 401


def test_tokens_of_others_and_of_other_audiences_are_exchanged_for_nothing(
    registry: Registry,
) -> None:
    vault = managed_identity_token(registry.emulator.wire)

    assert registry.exchange(vault).status == 401
    assert registry.exchange("made-up").status == 401
    assert registry.token(registry.emulator.arm_token(AUDIENCE)).status == 401


def test_what_is_asked_in_other_words_is_refused(registry: Registry) -> None:
    entra_token = registry.emulator.arm_token(AUDIENCE)
    refresh = registry.exchange(entra_token).json()["refresh_token"]

    assert registry.exchange(entra_token, service="elsewhere.azurecr.io").status == 400
    assert registry.token(refresh, grant_type="password").status == 400


def test_anybody_gets_a_token_only_where_the_seed_says_so(registry: Registry) -> None:
    path = f"/oauth2/token?service={registry.host}&scope={SCOPE}"
    closed = registry.emulator.wire.get(path)
    registry.emulator.seed({"images": {f"{registry.host}/r/weight:1": {}}, "anonymous_pull": True})
    token = registry.emulator.wire.get(path).json()["access_token"]

    assert closed.status == 401
    assert registry.head(token=token).status == 200


def test_the_digest_of_a_manifest_and_of_a_config_is_that_of_their_content(
    registry: Registry,
) -> None:
    token = {"Authorization": f"Bearer {registry.signed_in()}"}
    wire = registry.emulator.wire

    manifest = wire.send("GET", MANIFEST, headers=token)
    named = manifest.json()["config"]["digest"]
    sent_on = wire.send("GET", f"/v2/r/weight/blobs/{named}", headers=token)
    config = wire.send("GET", sent_on.headers["location"])

    assert digest_of(manifest.body) == manifest.headers["docker-content-digest"]
    assert (sent_on.status, digest_of(config.body)) == (307, named)
    assert wire.send("GET", sent_on.headers["location"], headers=token).status == 400
    assert wire.send("GET", f"/v2/r/weight/blobs/{named}").status == 401
    assert wire.send("GET", f"/registry-data/r/weight/{named}").status == 403
    assert wire.send("GET", f"/registry-data/r/weight/{named}?sig=%C3%A9").status == 403


def test_data_is_read_in_parts_too(registry: Registry) -> None:
    token = {"Authorization": f"Bearer {registry.signed_in()}"}
    wire = registry.emulator.wire
    named = wire.send("GET", MANIFEST, headers=token).json()["config"]["digest"]
    place = wire.send("GET", f"/v2/r/weight/blobs/{named}", headers=token).headers["location"]

    whole = wire.send("GET", place).body
    part, beyond = (
        wire.send("GET", place, headers={"Range": f"bytes={first}-"}) for first in (2, 10**6)
    )

    assert (part.status, part.body) == (206, whole[2:])
    assert part.headers["content-range"] == f"bytes 2-{len(whole) - 1}/{len(whole)}"
    assert beyond.status == 416
    assert wire.send("GET", place.replace(named, "sha256:0")).status == 404


def test_an_index_leads_to_the_manifest_of_one_platform(registry: Registry) -> None:
    registry.emulator.seed({"images": {f"{registry.host}/r/weight:1": {"is_index": True}}})
    token = {"Authorization": f"Bearer {registry.signed_in()}"}
    wire = registry.emulator.wire

    index = wire.send("GET", MANIFEST, headers=token).json()
    parts = {each["platform"]["architecture"]: each["digest"] for each in index["manifests"]}
    found = {
        name: wire.send("GET", f"/v2/r/weight/manifests/{digest}", headers=token).status
        for name, digest in parts.items()
    }

    assert found == {"arm64": 404, "unknown": 404, "amd64": 200}


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
