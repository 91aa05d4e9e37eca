"""Answer why a machine is up or not: one look at Azure, and the rules that a tick goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from shared.callers import parse_moment, refuse_unknown
from shared.compute.azure import MachineLearning
from shared.compute.exemptions import ExemptionsInForce
from shared.compute.explain import explain
from shared.compute.lookup import check_instance_id, find_instance
from shared.compute.rulebook import Rulebook
from shared.compute.run import Now, Rules
from shared.errors import InvalidRequestError
from shared.replies import Reply, json_reply

LOOK_PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class ExplainRequests:
    """Answers by the book, as a tick decides. `ticks`: the timer's NCronTab, None if not set."""

    azure: MachineLearning
    rules: Rules
    exemptions: ExemptionsInForce | None
    ticks: str | None
    now: Now

    async def explain(self, query: Mapping[str, str]) -> Reply:
        """200 with an Explanation of the instance `id`, now or `at` another moment.

        Raises InvalidRequestError: 400 for a wrong query, 404 for what Azure does not show.
        """
        refuse_unknown(query, known={"id", "at"})
        if "id" not in query:
            raise InvalidRequestError("id", "is required: the ARM id of a compute instance")
        instance_id = check_instance_id("id", query["id"])
        planned_for = parse_moment("at", query["at"]) if "at" in query else None
        compute = await find_instance(
            self.azure, instance_id, field="id", deadline=self.now() + LOOK_PATIENCE
        )
        seen_at = self.now()
        book, known = await self._rulebook()
        explained = explain(
            compute, book=book, at=planned_for or seen_at, seen_at=seen_at, ticks=self.ticks
        )
        answer = explained.model_copy(update={"exemptions_known": known})
        return json_reply(answer.model_dump_json(), status=HTTPStatus.OK)

    async def _rulebook(self) -> tuple[Rulebook, bool]:
        exemptions, error = (
            await self.exemptions.list(now=self.now()) if self.exemptions else ((), None)
        )
        book = Rulebook(
            default=self.rules.default_schedule,
            exemptions=exemptions,
            allowances=self.rules.allowances,
        )
        return book, error is None
