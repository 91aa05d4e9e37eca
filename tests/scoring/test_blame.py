"""When everything fails at once it is our own side that is sick, and nobody else is blamed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.scoring.blame import OurSide, Witness, our_fault
from shared.scoring.evidence import VERDICTS, Evidence
from shared.scoring.judgement import FAILURES
from shared.scoring.state import Health


def witnesses(
    *evidence: Evidence, signs_in: bool = False, scheme: str = "https", hosts: int = 99
) -> list[Witness]:
    """One healthy service each, on hosts of their own unless there are fewer."""
    return [
        Witness(
            name=f"s{place}",
            url=f"{scheme}://h{place % hosts}.example:{8000 + place}/base",
            signs_in=signs_in,
            evidence=each,
            health=Health.HEALTHY,
        )
        for place, each in enumerate(evidence)
    ]


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence.NAME_UNKNOWN,
        Evidence.REFUSED,
        Evidence.UNREACHABLE,
        Evidence.CONNECT_TIMED_OUT,
        Evidence.TLS_FAILED,
        Evidence.CUT,
    ],
)
def test_when_no_service_can_be_reached_it_is_our_network(evidence: Evidence) -> None:
    fault = our_fault(witnesses(evidence, evidence, Evidence.UNREACHABLE))

    assert fault is not None
    assert fault.side is OurSide.NETWORK
    assert fault.excused == {"s0", "s1", "s2"}
    assert fault.text == "our own network is sick: none of 3 services on 3 hosts can be reached"


@pytest.mark.parametrize(
    "other",
    [Evidence.GOLDEN_RIGHT, Evidence.TIMED_OUT, Evidence.GOLDEN_DIFFERS],
)
def test_one_that_answers_at_all_shows_that_our_network_works(other: Evidence) -> None:
    assert our_fault(witnesses(*[Evidence.UNREACHABLE] * 5, other)) is None


def test_two_services_cannot_tell() -> None:
    assert our_fault(witnesses(Evidence.UNREACHABLE, Evidence.UNREACHABLE)) is None


def test_services_of_one_host_cannot_tell() -> None:
    assert our_fault(witnesses(*[Evidence.UNREACHABLE] * 5, hosts=1)) is None


def test_services_of_one_host_that_all_refuse_have_stopped_with_it() -> None:
    assert our_fault(witnesses(*[Evidence.REFUSED] * 5, hosts=1)) is None


@pytest.mark.parametrize(
    "evidence",
    [each for each in Evidence if VERDICTS[each] == "wrong" or each is Evidence.REDIRECTED],
)
def test_wrong_answers_are_never_our_fault(evidence: Evidence) -> None:
    assert our_fault(witnesses(*[evidence] * 5, signs_in=True)) is None


def test_certificates_that_are_all_invalid_at_once_are_our_trust() -> None:
    plain = witnesses(Evidence.GOLDEN_RIGHT, scheme="http")

    fault = our_fault([*witnesses(*[Evidence.CERTIFICATE_INVALID] * 3), *plain])

    assert fault is not None
    assert fault.side is OurSide.TRUST
    assert len(fault.excused) == 3


def test_credentials_that_all_fail_at_once_are_our_identity_though_open_services_answer() -> None:
    open_ones = witnesses(Evidence.GOLDEN_RIGHT)
    signed_in = witnesses(
        Evidence.NOT_SENT, Evidence.KEY_REFUSED, Evidence.FORBIDDEN, signs_in=True
    )

    fault = our_fault([*open_ones, *signed_in])

    assert fault is not None
    assert fault.side is OurSide.IDENTITY


def test_addresses_that_azure_does_not_give_out_are_our_identity() -> None:
    unknown = [
        Witness(name=name, url="", signs_in=True, evidence=Evidence.NOT_SENT, health=Health.HEALTHY)
        for name in ("a", "b", "c")
    ]

    fault = our_fault(unknown)

    assert fault is not None
    assert fault.side is OurSide.IDENTITY


def test_one_credential_that_works_clears_our_identity() -> None:
    found = witnesses(*[Evidence.KEY_REFUSED] * 4, Evidence.GOLDEN_RIGHT, signs_in=True)

    assert our_fault(found) is None


def test_one_that_was_broken_before_has_no_vote() -> None:
    broken = Witness(
        name="old",
        url="https://old.example",
        signs_in=False,
        evidence=Evidence.CERTIFICATE_INVALID,
        health=Health.UNHEALTHY,
    )

    fault = our_fault([*witnesses(*[Evidence.UNREACHABLE] * 3), broken])

    assert fault is not None
    assert "old" not in fault.excused


@pytest.mark.parametrize(
    "evidence", [Evidence.GOLDEN_DIFFERS, Evidence.GOLDEN_RIGHT, Evidence.AZURE_UNHEALTHY]
)
@pytest.mark.parametrize(
    "failing", [Evidence.REFUSED, Evidence.CERTIFICATE_INVALID, Evidence.FORBIDDEN]
)
def test_one_that_was_broken_before_and_answers_clears_our_side(
    failing: Evidence, evidence: Evidence
) -> None:
    found = witnesses(*[failing] * 3, evidence, signs_in=True)
    found[-1] = replace(found[-1], health=Health.UNHEALTHY)

    assert our_fault(found) is None


@pytest.mark.parametrize("keyless", [Evidence.NOT_SENT, Evidence.SOURCE_UNAVAILABLE])
@pytest.mark.parametrize("failing", [Evidence.UNREACHABLE, Evidence.CERTIFICATE_INVALID])
def test_without_a_network_or_trust_no_vault_is_reached_either(
    failing: Evidence, keyless: Evidence
) -> None:
    fault = our_fault(witnesses(*[failing] * 3, keyless, signs_in=True))

    assert fault is not None
    assert fault.side is not OurSide.IDENTITY
    assert fault.excused == {"s0", "s1", "s2", "s3"}


def test_a_share_lets_a_few_answer() -> None:
    found = witnesses(*[Evidence.UNREACHABLE] * 9, Evidence.GOLDEN_RIGHT)

    assert our_fault(found) is None
    assert our_fault(found, share=0.9) is not None


@given(evidence=st.lists(st.sampled_from(Evidence), max_size=12), signs_in=st.booleans())
def test_only_failures_are_ever_excused(
    evidence: list[Evidence],
    signs_in: bool,  # noqa: FBT001  # drawn
) -> None:
    found = witnesses(*evidence, signs_in=signs_in)

    fault = our_fault(found, share=0.5)

    excused = fault.excused if fault else frozenset()
    assert all(VERDICTS[Evidence(e.evidence)] in FAILURES for e in found if e.name in excused)
    known = Evidence.SOURCE_UNAVAILABLE in evidence
    assert not fault or known or len(excused) >= 3
