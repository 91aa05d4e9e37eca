"""Resource Manager's token buckets: one for each (subscription, principal, operation type).

Source: learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
(the model since 2024). A cap of fifteen times the size holds for all principals together.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azure_emulator.answers import AzureError, Headers
from azure_emulator.clock import Clock

GLOBAL_FACTOR = 15
EVERYONE = "*"
TENANT = "tenant"
OPERATIONS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}


def operation_type(method: str) -> str:
    """reads, deletes or writes; a POST action counts as a write, as recordings show."""
    return OPERATIONS.get(method, "writes")


@dataclass(frozen=True, kw_only=True)
class Size:
    """Requests at once, and requests gained per second."""

    capacity: float
    refill_per_second: float


DOCUMENTED: Mapping[str, Size] = {
    "reads": Size(capacity=250, refill_per_second=25),
    "writes": Size(capacity=200, refill_per_second=10),
    "deletes": Size(capacity=200, refill_per_second=10),
}


class Bucket:
    """Tokens that refill in real time. After a refusal it stays shut until Retry-After is over."""

    def __init__(self, size: Size, *, now: float) -> None:
        self.size = size
        self.tokens = size.capacity
        self._filled_at = now
        self._shut_until = 0.0

    def take(self, now: float) -> int:
        """Take one token and return 0; or return the seconds to wait, a whole number."""
        self.refill(now)
        if now < self._shut_until:
            return math.ceil(self._shut_until - now)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0
        wait = math.ceil((1 - self.tokens) / self.size.refill_per_second)
        self._shut_until = now + wait
        return wait

    def refill(self, now: float) -> None:
        gained = max(0.0, now - self._filled_at) * self.size.refill_per_second
        self.tokens = min(self.size.capacity, self.tokens + gained)
        self._filled_at = now


class Buckets:
    """All buckets, made full when first used."""

    def __init__(self, clock: Clock, sizes: Mapping[str, Size]) -> None:
        self._clock = clock
        self._sizes = {**DOCUMENTED, **sizes}
        self._buckets: dict[tuple[str, str, str], Bucket] = {}

    def charge(
        self, *, subscription_id: str | None, principal: str, method: str, target: str
    ) -> Headers:
        """Charge a request and return the remaining-requests headers.

        Raises AzureError 429 with Retry-After; `target` is what its message names.
        """
        scope = subscription_id or TENANT
        operation = operation_type(method)
        now = self._clock.now()
        everyone = self._bucket((scope, EVERYONE, operation), now)
        own = self._bucket((scope, principal, operation), now)
        wait = own.take(now) or everyone.take(now)
        remaining = _remaining(operation, own=own, everyone=everyone if subscription_id else None)
        if wait:
            raise _throttled(scope, f"{method}/{target}", wait, remaining=remaining)
        return remaining

    def describe(self) -> list[dict[str, Any]]:
        """For the control plane: every bucket in use with the tokens it has now."""
        now = self._clock.now()
        for bucket in self._buckets.values():
            bucket.refill(now)
        return [
            {
                "subscription": scope,
                "principal": principal,
                "operation": operation,
                "remaining": math.floor(bucket.tokens),
                "capacity": bucket.size.capacity,
                "refill_per_second": bucket.size.refill_per_second,
            }
            for (scope, principal, operation), bucket in self._buckets.items()
        ]

    def _bucket(self, key: tuple[str, str, str], now: float) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._size(key), now=now)
        return bucket

    def _size(self, key: tuple[str, str, str]) -> Size:
        _, principal, operation = key
        size = self._sizes[operation]
        if principal != EVERYONE:
            return size
        return Size(
            capacity=size.capacity * GLOBAL_FACTOR,
            refill_per_second=size.refill_per_second * GLOBAL_FACTOR,
        )


def _remaining(operation: str, *, own: Bucket, everyone: Bucket | None) -> Headers:
    left = str(math.floor(own.tokens)).encode()
    if everyone is None:
        return ((f"x-ms-ratelimit-remaining-tenant-{operation}".encode(), left),)
    return (
        (f"x-ms-ratelimit-remaining-subscription-{operation}".encode(), left),
        (
            f"x-ms-ratelimit-remaining-subscription-global-{operation}".encode(),
            str(math.floor(everyone.tokens)).encode(),
        ),
    )


def _throttled(scope: str, operation: str, wait: int, *, remaining: Headers) -> AzureError:
    code = "TenantRequestsThrottled" if scope == TENANT else "SubscriptionRequestsThrottled"
    noun = "tenant" if scope == TENANT else f"subscription '{scope}'"
    return AzureError(
        429,
        code,
        f"Number of requests for {noun} and operation '{operation.upper()}' exceeded the backend "
        f"storage limit. Please try again after '{wait}' seconds.",
        headers=((b"retry-after", str(wait).encode()), *remaining),
    )
