"""Reading the app's settings: all problems at once, no value repeated, sovereign clouds by name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clouds import Cloud
from shared.errors import SettingsError
from shared.settings import Settings, read_settings

VAULT = {"KEY_VAULT_URL": "https://vault-ops.vault.azure.net/"}


def problems(environment: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as raised:
        read_settings(environment)
    return raised.value.problems


def test_the_vault_is_all_that_must_be_set() -> None:
    found = read_settings(VAULT)

    assert found.key_vault_url == "https://vault-ops.vault.azure.net"
    assert found.service_principal_prefix == "aml-ops"
    assert found.arm_api_version == "2025-12-01"
    assert found.run_deadline_seconds == 1500
    assert not found.stop_job_running


def test_an_empty_environment_says_what_is_missing() -> None:
    assert problems({}) == ("KEY_VAULT_URL is not set",)


def test_all_problems_are_told_together() -> None:
    found = problems(
        {"RUN_DEADLINE_SECONDS": "0", "POLL_SECONDS": "soon", "AZURE_CLOUD": "AzureGermanCloud"}
    )

    assert sorted(each.split(" ")[0] for each in found) == [
        "AZURE_CLOUD",
        "KEY_VAULT_URL",
        "POLL_SECONDS",
        "RUN_DEADLINE_SECONDS",
    ]


@pytest.mark.parametrize("blank", ["", "  ", "\t"])
def test_a_blank_setting_counts_as_unset(blank: str) -> None:
    assert problems({"KEY_VAULT_URL": blank}) == ("KEY_VAULT_URL is not set",)
    assert read_settings({**VAULT, "POLL_SECONDS": blank}).poll_seconds == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEY_VAULT_URL", "vault-ops"),
        ("KEY_VAULT_URL", "http://vault-ops.vault.azure.net"),
        ("KEY_VAULT_URL", "https://"),
        ("KEY_VAULT_URL", "https://["),
        ("KEY_VAULT_URL", "https://:443"),
        ("KEY_VAULT_URL", "https://vault.example:port"),
        ("KEY_VAULT_URL", "https://user:secret@vault.example"),
        ("KEY_VAULT_URL", "https://vault.example/?sig=secret"),
        ("AZURE_RESOURCE_MANAGER_URL", "management.azure.com"),
        ("AZURE_AUTHORITY_HOST", "login.microsoftonline.com"),
        ("SERVICE_PRINCIPAL_PREFIX", "aml_ops"),
        ("SERVICE_PRINCIPAL_PREFIX", "x" * 101),
        ("ARM_API_VERSION", "latest"),
        ("ARM_BUCKETS", "reads=250"),
        ("ARM_BUCKETS", "reads=250:25;writes=200:10"),
        ("ARM_BUCKETS", "posts=200:10"),
        ("ARM_BUCKETS", "reads=0:25"),
        ("ARM_BUCKETS", "reads=250:0"),
        ("ARM_BUCKETS", "reads=-1:25"),
        ("ARM_BUCKETS", "reads=nan:25"),
        ("ARM_BUCKETS_AUTO", "maybe"),
        ("RUN_DEADLINE_SECONDS", "0"),
        ("RUN_DEADLINE_SECONDS", "86401"),
        ("RUN_DEADLINE_SECONDS", "1.5"),
        ("POLL_SECONDS", "0"),
        ("POLL_SECONDS", "301"),
        ("POLL_SECONDS", "nan"),
        ("POLL_SECONDS", "inf"),
        ("STOP_PATIENCE_SECONDS", "0.5"),
        ("STOP_JOB_RUNNING", "sometimes"),
        ("AZURE_CLOUD", "azurecloud"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence_without_its_value(name: str, value: str) -> None:
    (problem,) = problems({**VAULT, name: value})

    assert problem.startswith(f"{name} is wrong: ")
    assert "\n" not in problem
    assert "secret" not in problem
    assert "pydantic" not in problem


@pytest.mark.parametrize("value", ["true", "True", "1", "yes", "on"])
def test_switches_are_read_as_people_write_them(value: str) -> None:
    assert read_settings({**VAULT, "STOP_JOB_RUNNING": value}).stop_job_running


def test_buckets_are_read_by_operation() -> None:
    found = read_settings({**VAULT, "ARM_BUCKETS": "reads=1100:25, writes=800:10.5"}).arm_buckets

    assert (found["reads"].capacity, found["writes"].per_second) == (1100, 10.5)
    assert "deletes" not in found


@pytest.mark.parametrize(
    ("cloud", "authority", "arm", "suffix"),
    [
        (Cloud.PUBLIC, "login.microsoftonline.com", "management.azure.com", "vault.azure.net"),
        (
            Cloud.US_GOVERNMENT,
            "login.microsoftonline.us",
            "management.usgovcloudapi.net",
            "vault.usgovcloudapi.net",
        ),
        (Cloud.CHINA, "login.chinacloudapi.cn", "management.chinacloudapi.cn", "vault.azure.cn"),
    ],
)
def test_a_cloud_has_its_own_endpoints(cloud: Cloud, authority: str, arm: str, suffix: str) -> None:
    found = read_settings({"KEY_VAULT_URL": f"https://ops.{suffix}", "AZURE_CLOUD": cloud})

    assert found.authority == f"https://{authority}"
    assert found.arm_endpoint == f"https://{arm}"
    assert found.arm_scope == f"https://{arm}/.default"
    assert found.vault_in_cloud


def test_an_endpoint_of_ones_own_keeps_the_audience_of_the_cloud() -> None:
    found = read_settings(
        {
            **VAULT,
            "AZURE_RESOURCE_MANAGER_URL": "https://127.0.0.1:8443/",
            "AZURE_AUTHORITY_HOST": "https://127.0.0.1:8443",
        }
    )

    assert found.arm_endpoint == "https://127.0.0.1:8443"
    assert found.arm_scope == "https://management.azure.com/.default"


@pytest.mark.parametrize("host", ["vault.azure.net.evil.example", "127.0.0.1", "vault.azure.net"])
def test_a_vault_elsewhere_is_not_the_clouds(host: str) -> None:
    assert not read_settings({"KEY_VAULT_URL": f"https://{host}"}).vault_in_cloud


def test_the_connection_string_is_not_shown() -> None:
    found = read_settings({**VAULT, "APPLICATIONINSIGHTS_CONNECTION_STRING": "canary"})

    assert found.connection_string is not None
    assert found.connection_string.get_secret_value() == "canary"
    assert "canary" not in f"{found!r} {found}"


@pytest.mark.parametrize(
    "value",
    [
        "services.yaml",
        "config/services.yaml",
        "https://opsdata.blob.core.windows.net/config/services.yaml",
        "https://opsdata.blob.core.usgovcloudapi.net/config/r/services.yaml",
        "http://127.0.0.1:10000/devstoreaccount1/config/services.yaml",
    ],
)
def test_the_file_of_services_is_a_path_in_the_app_or_a_blob(value: str) -> None:
    assert read_settings({**VAULT, "SCORING_SERVICES": value}).scoring_services == value


def test_a_signed_url_is_refused_with_advice_and_not_repeated() -> None:
    url = "https://opsdata.blob.core.windows.net/config/services.yaml?sv=2024&sig=canary"

    with pytest.raises(SettingsError) as refused:
        read_settings({**VAULT, "SCORING_SERVICES": url})

    assert "without a signature (SAS)" in str(refused.value)
    assert "Storage Blob Data Reader" in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "/etc/passwd",
        "../services.yaml",
        "a/../../services.yaml",
        "a\\..\\b",
        "https://opsdata.blob.core.windows.net",
        "https://opsdata.blob.core.windows.net/config",
        "https://opsdata.blob.evil.example/config/services.yaml",
        "https://user:canary@opsdata.blob.core.windows.net/config/services.yaml",
        "http://opsdata.blob.core.windows.net/config/services.yaml",
        "https://raw.githubusercontent.com/a/b/services.yaml",
        "ftp://127.0.0.1/a/b/c",
    ],
)
def test_a_file_of_services_elsewhere_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="SCORING_SERVICES is wrong") as refused:
        read_settings({**VAULT, "SCORING_SERVICES": value})

    assert "canary" not in str(refused.value)


def test_what_is_no_setting_of_ours_is_passed_over() -> None:
    assert read_settings({**VAULT, "PATH": "/bin", "KEY_VAULT_URI": "x"}) == read_settings(VAULT)


NAMES = [field.alias or name for name, field in Settings.model_fields.items()]


def named_by_problems(environment: dict[str, str]) -> set[str]:
    """The settings that are said to be wrong; a part of one is named after a dot."""
    try:
        read_settings(environment)
    except SettingsError as error:
        return {each.split(" ")[0].split(".")[0] for each in error.problems}
    return set()


@settings(deadline=None, derandomize=True, database=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.text()))
def test_any_values_are_settings_or_problems_that_name_them(environment: dict[str, str]) -> None:
    assert named_by_problems(environment) <= {*environment, "KEY_VAULT_URL"}
