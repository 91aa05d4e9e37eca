"""Answers for people on duty and for monitors: the page, its summary, the app's health, openapi.json."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.dashboard.health import broken_settings, live
from shared.dashboard.page import page
from shared.errors import SettingsError
from shared.overview import Overview
from shared.replies import Reply
from shared.worker import now


class Anybody:
    """What is answered without a key: nothing that is worth one, and nothing that costs much."""

    def page(self) -> Reply:
        """200: the page, which holds no data."""
        return page()

    def live(self) -> Reply:
        """200: this worker answers."""
        return live()


@dataclass(frozen=True, kw_only=True)
class Duty:
    """What is answered. `overview` raises SettingsError where the settings are broken."""

    overview: Callable[[], Overview]

    async def summary(self, query: Mapping[str, str]) -> Reply:
        """200: how everything is, as far as it was recorded."""
        async with self.overview().open_summary() as summary:
            return await summary.answer(query)

    async def health(self, query: Mapping[str, str]) -> Reply:
        """200 where all that the app needs is well, else 503; also where its settings are broken."""
        try:
            overview = self.overview()
        except SettingsError as error:
            return broken_settings(error, at=now())
        async with overview.open_health() as health:
            return await health.answer(query)

    async def openapi(self, query: Mapping[str, str]) -> Reply:
        """200: the OpenAPI document of the HTTP API."""
        # Loaded here: it needs the models of every answer, and is asked for seldom.
        from shared.openapi import document  # noqa: PLC0415

        return document.answer(query)
