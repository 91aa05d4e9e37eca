"""No secret, token, key or signed URL leaves the app, whatever goes wrong around it."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from local_host.azurite.process import ACCOUNT_KEY, Azurite, running
from tests.end_to_end.conftest import SPEED
from tests.end_to_end.estate import SUBSCRIPTION, a_workspace, an_estate, an_instance
from tests.end_to_end.leaks import Evidence, leaks, stored
from tests.support.emulator import EmulatorProcess
from tests.support.local_host import FUNCTION_KEY, MASTER_KEY, LocalHost
from tests.support.wire import managed_identity_token, vault_secret

SIGNATURE = f"canary{secrets.token_hex(16)}"
ELSEWHERE = "https://elsewhere.invalid/operation"
OPERATION = (
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices"
    "/locations/westeurope/computeOperationsStatus/gone"
)
# A run that hangs on something gives up after seconds, not after minutes.
BRIEF = {**SPEED, "RUN_DEADLINE_SECONDS": "4"}
JSON_WEB_TOKEN = re.compile(r"eyJ[\w-]{10,}\.eyJ")
HELD_IN = {
    "secret": "aml-ops-client-secret",
    "certificate_pem": "aml-ops-client-certificate",
    "certificate_pkcs12": "aml-ops-client-certificate",
}
# Tokens live so shortly that every request asks for one.
ESTATE = an_estate(
    a_workspace(
        "mlw-churn",
        an_instance("ci-ada"),
        an_instance("ci-stop-fails", stop_fails=True),
        an_instance("ci-full-disk", disk_full=True),
    ),
    a_workspace("mlw-locked", an_instance("ci-hidden"), forbidden=True),
    token_lifetime_seconds=60,
)


# The one night in which signing in works: it has to be long enough for many tokens.
QUIET = "nothing but the estate's own trouble"
Arrange = Callable[[EmulatorProcess], object]


def _fault(path_regex: str, **effect: Any) -> Arrange:
    return lambda emulator: emulator.fault(path_regex, times=None, **effect)


def _signed(base: str) -> str:
    return f"{base}?api-version=2025-12-01&t=1&c={SIGNATURE}&s={SIGNATURE}&h={SIGNATURE}"


def _accept_stops(url: str) -> Arrange:
    return _fault("/stop$", status=202, headers={"Azure-AsyncOperation": url})


def _accept_stops_here(emulator: EmulatorProcess) -> None:
    _accept_stops(_signed(f"{emulator.url}{OPERATION}"))(emulator)
    # The first look at it is cut off, the next ones find nothing.
    emulator.fault("computeOperationsStatus", cut="before_effect")


def _refuse(emulator: EmulatorProcess) -> None:
    _rotate(emulator, condition="wrong")


SIGNED_URL_IN_WORDS = {
    "error": {"code": "Failed", "message": f"See {_signed(ELSEWHERE)} until tomorrow."}
}
SIGNED_NEXT_PAGE = {"value": [], "nextLink": _signed(ELSEWHERE)}
# What goes wrong, in the order in which a worker that never read the vault meets it.
SIGNING_IN: Mapping[str, Arrange] = {
    "the vault forbids": _fault("^/secrets/", status=403),
    "the vault answers half a secret": _fault("^/secrets/.*-client-[cs]e", malformed_json=True),
    "the vault is cut off amid a secret": _fault("^/secrets/.*-client-[cs]e", cut="mid_body"),
    "the identity endpoint answers half a token": _fault("^/msi/token", malformed_json=True),
    "Entra answers half a token": _fault("oauth2/v2.0/token$", malformed_json=True),
    "Entra is cut off": _fault("oauth2/v2.0/token$", cut="before_effect"),
    "Entra is broken": _fault("oauth2/v2.0/token$", status=500),
    QUIET: lambda _: None,
    "the credential is refused": _refuse,
}
ABOUT_THE_CREDENTIAL = (
    "the vault answers half a secret",
    "the vault is cut off amid a secret",
    "Entra answers half a token",
    QUIET,
    "the credential is refused",
)
USING_ARM: Mapping[str, Arrange] = {
    "ARM refuses the token": _fault("^/subscriptions", status=401),
    "ARM answers half a document": _fault("/computes$", malformed_json=True),
    "ARM's words hold a signed URL": _fault(
        "/(computes|stop)$", status=400, body=SIGNED_URL_IN_WORDS
    ),
    "a refusal holds a signed URL": _fault("/stop$", status=400, body=SIGNED_URL_IN_WORDS),
    "a page leads to another host": _fault("/workspaces$", status=200, body=SIGNED_NEXT_PAGE),
    "a stop's operation cannot be read": _accept_stops_here,
    "a stop's operation lies elsewhere": _accept_stops(_signed(ELSEWHERE)),
}


@dataclass(frozen=True, kw_only=True)
class Nights:
    """All that the app said in these nights, and what it must not have said."""

    evidence: Evidence
    azurite: Azurite
    canaries: Mapping[str, str]
    statuses: dict[str, int] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture(scope="module", params=HELD_IN)
def nights(emulator_process: EmulatorProcess, request: pytest.FixtureRequest) -> Iterator[Nights]:
    """A worker whose signing in goes wrong, with every kind of credential."""
    chosen = SIGNING_IN if request.param == "secret" else ABOUT_THE_CREDENTIAL
    with _worker(emulator_process, credential=request.param) as nights:
        _spend(nights, emulator_process, {name: SIGNING_IN[name] for name in chosen})
        _look_back(nights, emulator_process)
        yield nights


@pytest.fixture(scope="module")
def arm_nights(emulator_process: EmulatorProcess) -> Iterator[Nights]:
    """A worker to whom Resource Manager answers wrongly in every way."""
    with _worker(emulator_process, credential="secret") as nights:
        _spend(nights, emulator_process, USING_ARM)
        _look_back(nights, emulator_process)
        yield nights


def test_nothing_secret_leaves_an_app_that_cannot_sign_in(nights: Nights) -> None:
    assert leaks(nights.evidence.texts(), nights.canaries) == []


def test_no_token_or_assertion_of_any_kind_leaves_the_app(nights: Nights) -> None:
    texts = nights.evidence.texts()

    assert [place for place, text in texts.items() if JSON_WEB_TOKEN.search(text)] == []


def test_signing_in_went_wrong_in_every_way(nights: Nights) -> None:
    said = "".join(nights.evidence.texts().values())

    known = {QUIET: 207}
    known |= {"the vault forbids": 502, "the credential is refused": 502}
    assert nights.statuses == {name: known.get(name, 503) for name in nights.statuses}
    assert set(ABOUT_THE_CREDENTIAL) <= nights.statuses.keys()
    assert "Traceback" in said
    assert "AADSTS70" in said
    assert "compute.run.finished" in said


def test_nothing_secret_leaves_an_app_that_arm_answers_wrongly(arm_nights: Nights) -> None:
    assert leaks(arm_nights.evidence.texts(), arm_nights.canaries) == []


def test_arm_answered_wrongly_in_every_way(arm_nights: Nights) -> None:
    assert arm_nights.statuses == {
        "ARM refuses the token": 502,
        "ARM answers half a document": 503,
        "ARM's words hold a signed URL": 502,
        "a refusal holds a signed URL": 207,
        "a page leads to another host": 502,
        "a stop's operation cannot be read": 207,
        "a stop's operation lies elsewhere": 207,
    }
    assert "elsewhere.invalid" in "".join(arm_nights.evidence.texts().values())
    assert any(OPERATION in each["path"] for each in arm_nights.requests)


@contextmanager
def _worker(emulator: EmulatorProcess, *, credential: str) -> Iterator[Nights]:
    emulator.reset()
    emulator.seed(ESTATE)
    _rotate(emulator, credential=credential)
    canaries = {**_canaries(emulator, HELD_IN[credential]), "the storage key": ACCOUNT_KEY}
    # A storage account of its own: what comes back to the queue would be another worker's night.
    with running() as azurite:
        settings = {**BRIEF, "AzureWebJobsStorage": azurite.connection_string}
        with LocalHost(env_files=[emulator.env_file], env=settings) as host:
            yield Nights(evidence=Evidence(host=host), azurite=azurite, canaries=canaries)


def _look_back(nights: Nights, emulator: EmulatorProcess) -> None:
    nights.evidence.document("telemetry", emulator.telemetry())
    nights.evidence.document("tables and queues", stored(nights.azurite.connection_string))
    nights.requests.extend(emulator.requests())


def _spend(nights: Nights, emulator: EmulatorProcess, trouble: Mapping[str, Arrange]) -> None:
    host = nights.evidence.host
    for name, arrange in trouble.items():
        arrange(emulator)
        invocation = host.start_function("shutdown_timer")
        # A run that hangs on something gives up after seconds; the quiet one must not have to.
        seconds = 20 if name == QUIET else 4
        answer = host.post("/api/compute/shutdown", body={"deadline_seconds": seconds})
        nights.statuses[name] = answer.status
        nights.evidence.answer(name, answer)
        nights.evidence.document(f"invocation: {name}", host.wait_for(invocation))
        emulator.clear_faults()


def _rotate(emulator: EmulatorProcess, **how: Any) -> None:
    answer = emulator.wire.send_json("POST", "/_emulator/service-principal/rotate", how)
    assert answer.status == 201


def _canaries(emulator: EmulatorProcess, holder: str) -> dict[str, str]:
    credential = vault_secret(emulator.wire, holder)
    # Of PEM, lines of the private key, which comes first; else the one line there is.
    lines = [line for line in credential.splitlines() if "-----" not in line]
    inner = lines[len(lines) // 4]
    token = managed_identity_token(emulator.wire)
    return {
        "the credential's beginning": lines[0][:40],
        "the credential's middle": inner[len(inner) // 3 :][:40],
        # All tokens of this directory begin with the header of its one signing key.
        "a token": token.partition(".")[0],
        "a signature": SIGNATURE,
        "the identity header": emulator.env["IDENTITY_HEADER"],
        "the function key": FUNCTION_KEY,
        "the master key": MASTER_KEY,
    }
