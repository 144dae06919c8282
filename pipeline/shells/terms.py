"""A bank's settings as the core reads them."""

from functools import lru_cache

from config.calendar import next_working_day
from config.settings import Settings
from pipeline.shelf import BankTerms
from pipeline.zone import Zone, date_of_number, day_number


def terms_of(settings: Settings) -> BankTerms:
    """The terms of a bank: its zone, money, calendar and limits."""
    zone = Zone(settings.zone)

    @lru_cache(maxsize=1024)
    def due_by(on: int, days: int) -> str:
        day = next_working_day(settings.calendar, date_of_number(on + days))
        return zone.at(day_number(day), settings.task_due_at)

    missed_from: dict[str, str] = {
        ("" if product == "default" else product): who for product, who in settings.missed_from.items()
    }
    return BankTerms(
        zone=zone,
        reporting_currency=settings.reporting_currency,
        due_by=due_by,
        allocation=tuple(settings.allocation),
        history={} if settings.history_from is None else {"": day_number(settings.history_from)},
        missed_from=missed_from,
        retail_limit_minor=settings.materiality.retail_minor,
        other_limit_minor=settings.materiality.other_minor,
        exposure_limit_ppm=settings.materiality.exposure_ppm,
        buckets=tuple(settings.buckets),
    )
