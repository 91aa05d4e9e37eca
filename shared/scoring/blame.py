"""Whose fault is it when everything fails at once? Then it is ours, and no service is blamed. Pure.

Three things of our own can make healthy services look broken: the network between us and them,
what we trust (the CA bundle), and how we sign in. Each is judged by the services that could tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from shared.scoring.evidence import VERDICTS, Evidence
from shared.scoring.judgement import Verdict
from shared.scoring.state import Health

# Fewer services, or one host, cannot tell: one cable, one cluster, one front end falls as a whole.
MIN_SERVICES = 3
MIN_HOSTS = 2


# Who answers shows that network, trust and key work, however bad the answer.
_ANSWERING = frozenset({Verdict.HEALTHY, Verdict.SLOW, Verdict.WRONG})

# No answer of anybody's: it may be the service, its host, or the network between us.
NOT_REACHED = frozenset(
    {
        Evidence.NAME_UNKNOWN,
        Evidence.REFUSED,
        Evidence.UNREACHABLE,
        Evidence.CONNECT_TIMED_OUT,
        Evidence.TLS_FAILED,
        Evidence.CUT,
    }
)


class OurSide(StrEnum):
    """What of ours is sick."""

    NETWORK = "network"
    TRUST = "trust"
    IDENTITY = "identity"


@dataclass(frozen=True, kw_only=True)
class Witness:
    """What one service came to in a round, and what it was called before.

    `url` is empty where its address cannot be had. `signs_in`: its probes carry a credential.
    """

    name: str
    url: str
    signs_in: bool
    evidence: str
    health: Health


@dataclass(frozen=True, kw_only=True)
class OurFault:
    """Our own network, trust or identity is sick; `excused` are the services not to be blamed."""

    side: OurSide
    excused: frozenset[str]
    text: str


@dataclass(frozen=True, kw_only=True)
class _Suspect:
    evidence: frozenset[str]
    could_tell: Callable[[Witness], bool]
    text: str


def _was_asked(witness: Witness) -> bool:
    return witness.evidence not in {Evidence.NOT_SENT, Evidence.SOURCE_UNAVAILABLE}


# A refusal is among them, though an answer of somebody: a firewall or a proxy of our own refuses in
# the name of every host, and healthy services on several hosts do not all stop in the same minute.
_SUSPECTS: Mapping[OurSide, _Suspect] = {
    OurSide.NETWORK: _Suspect(
        evidence=NOT_REACHED,
        could_tell=_was_asked,
        text="none of {count} services on {hosts} hosts can be reached",
    ),
    OurSide.TRUST: _Suspect(
        evidence=frozenset({Evidence.CERTIFICATE_INVALID}),
        could_tell=lambda witness: _was_asked(witness) and witness.url.startswith("https://"),
        text="no certificate of {count} services on {hosts} hosts is trusted",
    ),
    OurSide.IDENTITY: _Suspect(
        evidence=frozenset(
            {
                Evidence.NOT_SENT,
                Evidence.SOURCE_UNAVAILABLE,
                Evidence.KEY_REFUSED,
                Evidence.FORBIDDEN,
            }
        ),
        could_tell=lambda witness: witness.signs_in,
        text="none of {count} services on {hosts} hosts accepts its credential, or it cannot be had",
    ),
}


def our_fault(witnesses: Sequence[Witness], *, share: float = 1.0) -> OurFault | None:
    """Return what of ours is sick, None where the services are to be blamed themselves.

    `share` is how many of those that could tell must fail the same way, 0 to 1. Services that
    were unhealthy before and fail say nothing new: they have no vote, but are excused with the
    others; so are those that could not be asked, since a vault is not reached either.
    """
    found = (_fault(side, suspect, witnesses, share) for side, suspect in _SUSPECTS.items())
    return next(filter(None, found), None) or _without_sources(witnesses)


def _without_sources(witnesses: Sequence[Witness]) -> OurFault | None:
    """No vote is needed where what knows keys and addresses is itself seen to be away."""
    excused = frozenset(
        each.name for each in witnesses if each.evidence == Evidence.SOURCE_UNAVAILABLE
    )
    if not excused:
        return None
    asked = f"{len(excused)} of {len(witnesses)} services could not be asked"
    told = f"what knows keys and addresses does not answer, so {asked}"
    return OurFault(
        side=OurSide.IDENTITY, excused=excused, text=f"our own {OurSide.IDENTITY} is sick: {told}"
    )


def _fault(
    side: OurSide, suspect: _Suspect, witnesses: Sequence[Witness], share: float
) -> OurFault | None:
    could_tell = [each for each in witnesses if suspect.could_tell(each)]
    voters = [each for each in could_tell if each.health is not Health.UNHEALTHY or _answers(each)]
    failing = [each for each in voters if each.evidence in suspect.evidence]
    # Of a service whose address cannot be had, nobody knows that it shares a host.
    hosts = {urlsplit(each.url).hostname or each.name for each in failing}
    if len(failing) < MIN_SERVICES or len(hosts) < MIN_HOSTS or len(failing) < share * len(voters):
        return None
    told = suspect.text.format(count=len(failing), hosts=len(hosts))
    excused = frozenset(
        each.name
        for each in witnesses
        if not _was_asked(each) or (suspect.could_tell(each) and each.evidence in suspect.evidence)
    )
    return OurFault(side=side, excused=excused, text=f"our own {side} is sick: {told}")


def _answers(witness: Witness) -> bool:
    evidence = Evidence(witness.evidence)
    return VERDICTS[evidence] in _ANSWERING or evidence is Evidence.AZURE_UNHEALTHY
