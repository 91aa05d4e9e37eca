"""What every implementation of the port to registries does: the client of real ones, and the fake."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from shared.clients.registry import RegistryClient
from shared.scoring.redeploy.tag_digests import TagDigests
from tests.support.arm_session import FixedToken
from tests.support.container_groups import push
from tests.support.fake_tags import FakeTags
from tests.support.redeploys import NEW_DIGEST, OLD_DIGEST


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A registry that has `image`, and one's way to push it anew: the digest it leads to then."""

    tags: TagDigests
    image: str
    push: Callable[[str], None]


@pytest.fixture(params=["client", "fake"])
def registry(request: pytest.FixtureRequest) -> Registry:
    if request.param == "fake":
        fake = FakeTags()
        image = "registry.test/weight:1"
        return Registry(
            tags=fake, image=image, push=lambda digest: fake.digests.update({image: digest})
        )
    emulator = request.getfixturevalue("session").emulator
    host = emulator.url.removeprefix("https://").rstrip("/")
    image = f"{host}/weight:1"
    emulator.seed({})
    token = FixedToken(emulator.arm_token("https://containerregistry.azure.net"))

    def pushed(digest: str) -> None:
        assert push(emulator, image, digest=digest) == digest

    return Registry(tags=RegistryClient(token, trusted_suffix=host), image=image, push=pushed)


async def test_a_tag_leads_to_what_was_pushed_last(registry: Registry) -> None:
    before = await registry.tags.digest_of(registry.image)
    registry.push(OLD_DIGEST)
    first = await registry.tags.digest_of(registry.image)
    registry.push(NEW_DIGEST)

    assert (before, first) == (None, OLD_DIGEST)
    assert await registry.tags.digest_of(registry.image) == NEW_DIGEST


async def test_another_tag_of_the_image_leads_nowhere(registry: Registry) -> None:
    registry.push(OLD_DIGEST)

    assert await registry.tags.digest_of(f"{registry.image}-other") is None
