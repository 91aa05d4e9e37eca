"""Public holidays of a country (`DE`) or one of its regions (`DE-BY`, ISO 3166-2).

They come from the package `holidays`, with the days on which a holiday is observed instead. It is
loaded on first use, since only schedules that name a calendar need it (some 80 ms).
Years that the package does not know have no holidays.
"""

import warnings
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from shared.compute.schedule.error import ScheduleError, shown


@lru_cache(maxsize=1024)
def find_calendar(code: str) -> str:
    """Return the calendar's code as it is spelled officially; raise ScheduleError if none is."""
    country, _, region = code.partition("-")
    regions = _regions().get(country.upper())
    if regions is None:
        raise ScheduleError(
            f"no public holidays are known for the country `{shown(country)}`",
            "write an ISO 3166 code such as holidays=DE, or holidays=DE-BY for one of its regions",
        )
    if not region:
        return country.upper()
    official = {name.upper(): name for name in regions}.get(region.upper())
    if official is None:
        raise ScheduleError(
            f"no public holidays are known for the region `{shown(region)}` of {country.upper()}",
            f"write holidays={country.upper()}{_offer(country.upper(), regions)}",
        )
    return f"{country.upper()}-{official}"


def is_holiday(code: str, day: date) -> bool:
    """Whether `day` is one in the calendar of this code."""
    return day in _days(code, day.year)


def _offer(country: str, regions: tuple[str, ...]) -> str:
    writable = [region for region in regions if region.isalnum()][:20]
    if not writable:
        return ""
    return f", or one of its regions: {', '.join(f'{country}-{name}' for name in writable)}"


@lru_cache(maxsize=1)
def _regions() -> Mapping[str, tuple[str, ...]]:
    import holidays  # noqa: PLC0415  # loaded by schedules that name a calendar only

    supported = holidays.list_supported_countries(include_aliases=False)
    return {country: tuple(regions) for country, regions in supported.items()}


@lru_cache(maxsize=1024)
def _days(code: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415  # loaded by schedules that name a calendar only

    country, _, region = code.partition("-")
    with warnings.catch_warnings():
        # India's calendar warns about years whose lunar holidays are not known yet.
        warnings.simplefilter("ignore", UserWarning)
        return frozenset(holidays.country_holidays(country, region or None, years=year))
