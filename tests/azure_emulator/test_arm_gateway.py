"""What every call to Resource Manager passes before it is answered."""

import re

import pytest

from tests.azure_emulator.conftest import SUBSCRIPTION, WORKSPACE, Arm, estate, eventually
from tests.support.emulator import ARM_VERSION, EmulatorProcess
from tests.support.wire import managed_identity_token

ARM_AUDIENCE = "https://management.azure.com"

ELSEWHERE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-none/providers"


def test_a_missing_api_version_is_refused(arm: Arm) -> None:
    reply = arm.follow("/subscriptions")

    assert (reply.status, reply.json()["error"]["code"]) == (400, "MissingApiVersionParameter")


def test_an_api_version_that_is_no_date_is_refused(arm: Arm) -> None:
    reply = arm.follow("/subscriptions?api-version=latest")

    assert (reply.status, reply.json()["error"]["code"]) == (400, "InvalidApiVersionParameter")


def test_a_call_without_token_is_challenged_with_the_authority(emulator: EmulatorProcess) -> None:
    reply = emulator.wire.get(f"/subscriptions?api-version={ARM_VERSION}")

    assert (reply.status, reply.json()["error"]["code"]) == (401, "AuthenticationFailed")
    challenge = reply.headers["www-authenticate"]
    authority = f"{emulator.url}/{emulator.env['AZURE_TENANT_ID']}"
    assert challenge.startswith(f'Bearer authorization_uri="{authority}", error="invalid_token"')


def test_a_token_that_nobody_signed_is_refused(emulator: EmulatorProcess) -> None:
    reply = emulator.arm("GET", "/subscriptions", token="not.a.token")

    assert (reply.status, reply.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_a_token_for_another_audience_is_refused(emulator: EmulatorProcess) -> None:
    token = emulator.arm_token("https://vault.azure.net")

    reply = emulator.arm("GET", "/subscriptions", token=token)

    error = reply.json()["error"]
    assert (reply.status, error["code"]) == (401, "InvalidAuthenticationTokenAudience")
    assert "https://vault.azure.net" in error["message"]


def test_an_expired_token_is_refused(emulator: EmulatorProcess) -> None:
    emulator.seed({"token_lifetime_seconds": 1})
    token = emulator.arm_token()

    eventually(lambda: emulator.arm("GET", "/subscriptions", token=token).status == 401)
    reply = emulator.arm("GET", "/subscriptions", token=token)

    assert reply.json()["error"]["code"] == "ExpiredAuthenticationToken"


@pytest.mark.parametrize(
    "resource", ["https://management.azure.com", "https://management.core.windows.net/"]
)
def test_both_names_of_the_audience_are_accepted(emulator: EmulatorProcess, resource: str) -> None:
    token = emulator.arm_token(resource)

    assert emulator.arm("GET", "/subscriptions", token=token).status == 200


def test_the_emulators_own_url_is_an_audience(emulator: EmulatorProcess) -> None:
    token = emulator.arm_token(emulator.url)

    assert emulator.arm("GET", "/subscriptions", token=token).status == 200


@pytest.mark.parametrize("path", ["/subscriptions", "/tenants", WORKSPACE, f"{WORKSPACE}/computes"])
def test_the_managed_identity_may_do_nothing(emulator: EmulatorProcess, path: str) -> None:
    emulator.seed(estate({"name": "ci-ada"}))
    token = managed_identity_token(emulator.wire, ARM_AUDIENCE)

    reply = emulator.arm("GET", path, token=token)

    assert (reply.status, reply.json()["error"]["code"]) == (403, "AuthorizationFailed")


def test_a_missing_grant_names_action_and_scope(arm: Arm) -> None:
    reader = {"access": {"service_principal": [{"actions": ["*/read"]}]}}
    arm.emulator.seed(estate({"name": "ci-ada"}) | reader)

    reply = arm.stop("ci-ada")

    error = reply.json()["error"]
    assert (reply.status, error["code"]) == (403, "AuthorizationFailed")
    assert re.search(
        r"The client '[0-9a-f-]{36}' with object id '[0-9a-f-]{36}' does not have authorization "
        r"to perform action 'Microsoft.MachineLearningServices/workspaces/computes/stop/action' "
        rf"over scope '{WORKSPACE}/computes/ci-ada'",
        error["message"],
    )
    assert arm.history("ci-ada") == ["Running"]


def test_a_grant_holds_at_its_scope_and_below(arm: Arm) -> None:
    one = {"access": {"service_principal": [{"scope": WORKSPACE.upper(), "actions": ["*"]}]}}
    arm.emulator.seed(estate({"name": "ci-ada"}) | one)

    statuses = {
        path: arm.get(path).status
        for path in (f"{WORKSPACE}/computes/ci-ada", f"/subscriptions/{SUBSCRIPTION}")
    }

    assert list(statuses.values()) == [200, 403]


def test_paths_ignore_case_and_doubled_slashes_but_answers_have_azures_spelling(arm: Arm) -> None:
    arm.emulator.seed(estate({"name": "CI-Ada"}))

    reply = arm.get(f"/{WORKSPACE.upper()}//computes/ci-ADA")

    assert reply.json()["id"] == f"{WORKSPACE}/computes/CI-Ada"


def test_an_unknown_route_is_named(arm: Arm) -> None:
    reply = arm.post(f"{WORKSPACE}/computes/ci-ada/listNodes")

    assert reply.status == 501
    assert f"POST {WORKSPACE}/computes/ci-ada/listNodes" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/subscriptions/22222222-2222-4222-8222-222222222222", "SubscriptionNotFound"),
        (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-none", "ResourceGroupNotFound"),
        (WORKSPACE.replace("rg-ml", "rg-none"), "ResourceGroupNotFound"),
        (f"{WORKSPACE}-none", "ResourceNotFound"),
        (f"{WORKSPACE}/computes/ci-none", "ResourceNotFound"),
        (f"{WORKSPACE}-none/computes/ci-ada", "ParentResourceNotFound"),
        (f"{WORKSPACE}/onlineEndpoints/none", "ResourceNotFound"),
        (f"{WORKSPACE}/onlineEndpoints/none/deployments", "ParentResourceNotFound"),
        (f"{ELSEWHERE}/Microsoft.ContainerInstance/containerGroups", "ResourceGroupNotFound"),
        (f"{ELSEWHERE}/Microsoft.ContainerInstance/containerGroups/x", "ResourceGroupNotFound"),
        (f"{ELSEWHERE}/Microsoft.ContainerService/managedClusters", "ResourceGroupNotFound"),
        (f"{ELSEWHERE}/Microsoft.ContainerService/managedClusters/x", "ResourceGroupNotFound"),
    ],
)
def test_what_is_not_there_is_404(arm: Arm, path: str, code: str) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))

    reply = arm.get(path)

    assert (reply.status, reply.json()["error"]["code"]) == (404, code)


def test_answers_carry_the_recorded_headers(arm: Arm) -> None:
    reply = arm.get("/subscriptions")

    wanted = {
        "x-ms-request-id",
        "x-ms-correlation-request-id",
        "x-ms-routing-request-id",
        "azureml-served-by-cluster",
        "x-request-time",
        "x-ms-operation-identifier",
        "x-msedge-ref",
        "date",
        "x-ms-ratelimit-remaining-tenant-reads",
    }
    assert wanted <= set(reply.headers)


def test_a_caller_that_asks_for_it_sees_its_own_request_id_again(arm: Arm) -> None:
    ids = {"x-ms-client-request-id": "mine", "x-ms-correlation-request-id": "ours"}
    target = f"/subscriptions?api-version={ARM_VERSION}"
    signed = {"Authorization": f"Bearer {arm.token}", **ids}

    plain = arm.emulator.wire.send("GET", target, headers=signed)
    asked = arm.emulator.wire.send(
        "GET", target, headers={**signed, "x-ms-return-client-request-id": "true"}
    )

    assert "x-ms-client-request-id" not in plain.headers
    assert asked.headers.items() >= ids.items()


def test_a_head_has_the_headers_of_a_get_and_no_body(arm: Arm) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))
    target = f"{WORKSPACE}/computes?api-version={ARM_VERSION}"
    signed = {"Authorization": f"Bearer {arm.token}"}

    head, get = (
        arm.emulator.wire.send(method, target, headers=signed) for method in ("HEAD", "GET")
    )

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(get.body))


@pytest.mark.parametrize(
    "name", ["ci%2Dada", "CI-ADA", "ci-ada/"], ids=["encoded", "other case", "slash at the end"]
)
def test_a_name_is_found_however_it_is_spelt(arm: Arm, name: str) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))

    assert arm.get(f"{WORKSPACE}/computes/{name}").json()["name"] == "ci-ada"


@pytest.mark.parametrize("name", ["%00%0d%0aX", "%ff%fe", "%E2%98%83", "a" * 30000])
def test_a_name_that_cannot_be_is_not_there(arm: Arm, name: str) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))

    reply = arm.get(f"{WORKSPACE}/computes/{name}")

    assert (reply.status, reply.json()["error"]["code"]) == (404, "ResourceNotFound")


@pytest.mark.parametrize(
    "version",
    ["2018-11-19", "2022-05-01", "2023-08-01-preview", "2024-10-01", "2025-12-01", "2026-09-01"],
)
def test_every_version_of_the_api_is_answered(arm: Arm, version: str) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))

    assert arm.follow(f"{WORKSPACE}/computes?api-version={version}").status == 200


def test_the_log_says_who_asked_for_what(arm: Arm) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))

    arm.stop("ci-ada")

    (record,) = arm.emulator.requests()
    assert record["principal"] == "5e2f80b4-7c19-4d6a-b3e5-1f9a6c82d047"
    assert record["path"] == f"{WORKSPACE}/computes/ci-ada/stop"
    assert (record["method"], record["status"]) == ("POST", 202)
    assert (record["subscription"], record["bucket"]) == (SUBSCRIPTION, "writes")
    assert record["action"].endswith("/computes/stop/action")
    assert (record["throttled"], record["fault"]) == (False, None)


def test_signed_parameters_are_kept_out_of_the_log(arm: Arm) -> None:
    arm.emulator.seed(estate({"name": "ci-ada"}))
    operation = arm.stop("ci-ada").headers["azure-asyncoperation"]

    arm.follow(operation)

    query = arm.emulator.requests()[-1]["query"]
    assert query.endswith("&service=new&t=REDACTED&c=REDACTED&s=REDACTED&h=REDACTED")
