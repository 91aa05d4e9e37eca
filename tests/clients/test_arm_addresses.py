"""Where requests may go: ARM's own origin, whatever links and ids its answers hold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from shared.compute.azure import AnswerKind, StopAnswer
from shared.errors import AzureRequestError
from tests.support.arm_session import ArmSession, within
from tests.support.builders import NIGHT, SUBSCRIPTION

ELSEWHERE = [
    "https://{listener}/subscriptions?api-version=2025-12-01",
    "http://{listener}/subscriptions",
    "//{listener}/subscriptions",
    "https://{arm}@{listener}/subscriptions",
    "https://{listener}\\@{arm}/subscriptions",
    "https://[",
    "https://{arm_host}:99999/subscriptions",
    "/subscriptions?$skip=2",
    "ftp://{arm}/subscriptions",
]


@dataclass
class Listener:
    """Somebody else's server: counts who calls."""

    address: str = ""
    calls: list[bytes] = field(default_factory=list)

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls.append(await reader.read(100))
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener()
    async with await asyncio.start_server(listener.hear, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        listener.address = f"{host}:{port}"
        yield listener


def placed(template: str, session: ArmSession, listener: Listener) -> str:
    arm = urlsplit(session.emulator.url)
    return template.format(listener=listener.address, arm=arm.netloc, arm_host=arm.hostname)


@pytest.mark.parametrize("template", ELSEWHERE)
async def test_a_next_link_to_another_place_is_an_error_and_is_not_followed(
    session: ArmSession, template: str
) -> None:
    async with listening() as listener, session.open() as arm:
        link = placed(template, session, listener)
        session.emulator.fault("/subscriptions$", status=200, body={"value": [], "nextLink": link})

        with pytest.raises(AzureRequestError, match="nextLink leads to another host"):
            await arm.list("/subscriptions", deadline=within(5))

    assert not listener.calls
    assert len(session.seen("/subscriptions")) == 1


@pytest.mark.parametrize("link", [7, ["https://x.example"], {"a": 1}, True])
async def test_a_next_link_that_is_no_text_is_an_error(session: ArmSession, link: object) -> None:
    session.emulator.fault("/subscriptions$", status=200, body={"value": [], "nextLink": link})

    async with session.open() as arm:
        with pytest.raises(AzureRequestError, match="nextLink"):
            await arm.list("/subscriptions", deadline=within(5))


@pytest.mark.parametrize("link", [None, "", 0, False])
async def test_no_next_link_is_the_end(session: ArmSession, link: object) -> None:
    session.emulator.fault("/subscriptions$", status=200, body={"value": [], "nextLink": link})

    async with session.open() as arm:
        assert await arm.list("/subscriptions", deadline=within(5)) == []


async def test_a_next_link_in_another_spelling_of_our_host_is_followed(
    session: ArmSession,
) -> None:
    link = f"{session.emulator.url.replace('https', 'HTTPS')}/subscriptions?$skip="
    session.emulator.fault("/subscriptions$", status=200, body={"value": [], "nextLink": link})

    async with session.open() as arm:
        found = await arm.list("/subscriptions", deadline=within(5))

    assert len(found) == 2


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("https://management.azure.com/subscriptions", True),
        ("https://management.azure.com:443/subscriptions", True),
        ("https://Management.Azure.com/subscriptions", True),
        ("https://management.azure.com:444/subscriptions", False),
        ("http://management.azure.com/subscriptions", False),
        ("https://management.azure.com.evil.example/", False),
        ("https://evil.example/?https://management.azure.com/", False),
        ("https://user@management.azure.com/", False),
        ("management.azure.com/subscriptions", False),
        ("", False),
    ],
)
async def test_a_host_is_ours_by_scheme_name_and_port(
    session: ArmSession,
    url: str,
    is_ours: bool,  # noqa: FBT001  # a column of the table
) -> None:
    async with session.open(endpoint="https://management.azure.com") as arm:
        assert arm.owns(url) is is_ours


async def test_pages_in_a_circle_are_an_error(session: ArmSession) -> None:
    link = f"{session.emulator.url}/subscriptions?api-version=2025-12-01&page=2"
    body = {"value": [], "nextLink": link}
    session.emulator.fault("/subscriptions$", status=200, body=body, times=None)

    async with session.open() as arm:
        with pytest.raises(AzureRequestError, match="circle"):
            await arm.list("/subscriptions", deadline=within(20))

    assert len(session.seen("/subscriptions")) == 2


@pytest.mark.parametrize("template", [t for t in ELSEWHERE if not t.startswith("/sub")])
async def test_an_operation_at_another_place_is_not_read(
    session: ArmSession, template: str
) -> None:
    async with listening() as listener, session.machine_learning() as azure:
        operation = placed(template, session, listener)
        answer = StopAnswer(kind=AnswerKind.ACCEPTED, at=NIGHT, operation=operation)

        with pytest.raises(AzureRequestError, match="another host"):
            await azure.get_operation(answer, deadline=within(5))

    assert not listener.calls


@pytest.mark.parametrize("resource_id", ["@{}/x", ".evil.example/x", "https://{}/x", "", "x/y"])
async def test_an_id_that_is_no_path_is_neither_listed_nor_asked(
    session: ArmSession, resource_id: str
) -> None:
    async with listening() as listener, session.machine_learning() as azure:
        item = {"id": resource_id.format(listener.address), "name": "mlw-odd"}
        session.emulator.fault("/workspaces$", status=200, body={"value": [item]})

        found = await azure.list_workspaces(SUBSCRIPTION, deadline=within(5))

    assert found == []
    assert not listener.calls


async def test_a_path_that_leads_elsewhere_is_refused_by_the_session_itself(
    session: ArmSession,
) -> None:
    async with listening() as listener, session.open() as arm:
        for path in (f"@{listener.address}/x", f"https://{listener.address}/x"):
            with pytest.raises(AzureRequestError, match="no path"):
                await arm.get(path, deadline=within(5))

    assert not listener.calls
