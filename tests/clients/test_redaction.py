"""What of Azure's and of programs' texts is told: enough to understand them, and no secret."""

import pytest

from shared.clients.redaction import MAX_TEXT, redact, without_settings

# Made in two parts, so that no scanner takes it for one.
JWT = "eyJhbGciOiJSUzI1NiJ9" + ".eyJzdWIiOiIxIn0.c2ln"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("GET https://a.test/m.rds?sv=1&sig=abc failed", "GET https://a.test/m.rds failed"),
        ("https://ada:pass@a.test/x", "https://a.test/x"),
        (f"got {JWT}", "got <token>"),
        ("Authorization: Bearer abc123def456", "Authorization: Bearer <token>"),
        ("DB_PASSWORD=hunter2 is set", "DB_PASSWORD=<secret> is set"),
        ("AccountName=a;AccountKey=q83v==;E=1", "AccountName=a;AccountKey=<secret>;E=1"),
        (
            "the SAS sv=2024-11-04&sig=q83v%3D has ended",
            "the SAS sv=2024-11-04&sig=<secret> has ended",
        ),
        ('{"api_key": "q83v", "n": 2}', '{"api_key": "<secret>", "n": 2}'),
    ],
)
def test_what_may_be_secret_is_not_told(text: str, told: str) -> None:
    assert redact(text) == told
    assert redact(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "Bearer authentication failed",
        "secret: not found",
        "R ended by signal=9",
        "Key Vault secret 'weight-key' does not exist",
        'MountVolume failed for "secret": secret "weight-secret" not found',
        "AADSTS7000215: Invalid client secret provided",
        f"Pulling image contoso.azurecr.io/weight@sha256:{'a' * 64}",
    ],
)
def test_what_tells_what_is_wrong_stays(text: str) -> None:
    assert redact(text) == text


def test_a_text_is_one_line_and_bounded() -> None:
    assert redact("a\n  b") == "a b"
    assert len(redact("x" * 10_000)) == MAX_TEXT


def test_values_of_the_environment_are_told_by_their_names() -> None:
    settings = {
        "MODEL": "/models/weight.rds",
        "ROOT": "/models",
        "DB_TOKEN": "abc",
        "LEVEL": "info",
        "EMPTY": "",
    }

    told = without_settings("info: /models/weight.rds of /models, abc", settings)

    assert told == "info: <MODEL> of <ROOT>, <DB_TOKEN>"
