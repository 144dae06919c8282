"""The report: what a replay tells, as one page that asks nothing of any server."""

from pathlib import Path

from pipeline.shells.put import put
from pipeline.shells.report import borrowers, effects
from pipeline.shells.report.alerting import alerting
from pipeline.shells.report.buckets import Weight, by_month, late_share, portfolio
from pipeline.shells.report.effects import Effect, effect_of, median_text
from pipeline.shells.report.frame import Frame, Key, framed
from pipeline.shells.report.panel import Panel, money, number_of, same, say, unknown
from pipeline.shells.report.records import Records, files_of, records_in
from pipeline.shells.report.rolls import rolls, rolls_by_month
from pipeline.shells.report.texts import WORDS
from pipeline.shells.report.vintages import followed, vintages
from pipeline.shells.report.workload import workload
from pipeline.shells.texts import Language
from pipeline.shells.truth import read_truth

MONTHLY = ("portfolio", "rolls", "rolls_by_month", "vintage_late", "vintage_default")


def write_report(folder: Path, out: Path, truth: Path | None, budget: int | None, lang: Language) -> None:
    """Write the report on a replay; BadFile in one sentence when it cannot be read or the page cannot be written."""
    records = records_in(folder)
    decided = records.decided
    outcomes = decided.defaults if truth is None else read_truth(truth, decided.borrowers, decided.first)
    effect = effect_of(records, outcomes, budget)
    put(page(records, effect, None if truth is None else truth.name, lang).encode(), out, files_of(folder, truth))


def page(records: Records, effect: Effect, truth: str | None, lang: Language) -> str:
    """The whole page."""
    decided = records.decided
    first = borrowers.ranked(records)
    sections: list[tuple[str, list[Panel]]] = [
        ("section_portfolio", _monthly(records)),
        ("section_alerts", alerting(records)),
        ("section_effect", [effects.lead(effect), effects.precision(effect)]),
        ("section_work", workload(records.queues, decided.first, decided.last)),
        ("section_borrowers", [borrowers.panel(records, first)]),
    ]
    return framed(
        Frame(
            titles={each: WORDS[each]["page_title"] for each in WORDS},
            head=say(
                "page_head",
                borrowers=number_of(len(decided.borrowers), "borrower"),
                first=str(decided.first),
                last=str(decided.last),
            ),
            notes=[
                say("as_of", date=str(decided.last)),
                say("page_shelf", shelf=decided.shelf[:12]),
                say("truth_events") if truth is None else say("truth_file", file=truth),
            ],
            keys=_keys(records, effect),
            sections=[(say(name), panels) for name, panels in sections],
            stories=borrowers.stories(records, first),
            foot=say("foot"),
        ),
        lang,
    )


def _monthly(records: Records) -> list[Panel]:
    as_of = records.decided.last
    if records.months is None:
        return [unknown(name, say("no_months"), as_of) for name in MONTHLY]
    months = by_month(records.months)
    return [
        portfolio(months, records.currency, as_of),
        rolls(months, as_of),
        rolls_by_month(months, as_of),
        *vintages(followed(months, records.decided.first), as_of),
    ]


def _keys(records: Records, effect: Effect) -> list[Key]:
    """What a board asks first; what nobody knows is said to be unknown."""
    counts, last, nobody = effect.overall.counts, records.decided.last.isoformat(), say("unknown")
    loans = sum(loan["status"] == "open" for profile in records.profiles for loan in profile["loans"])
    exposures = [profile["exposure_minor"] for profile in records.profiles if profile["loans"]]
    rows = [row for row in records.months or () if row.on == last and row.status == "open"]
    weight = Weight(records.currency, all(row.exposure_minor is not None for row in rows))
    late = late_share(rows, weight)
    open_alerts = sum(e["state"] == "open" for profile in records.profiles for e in profile["episodes"])
    queues = None if records.queues is None else [each for each in records.queues if each.date == last]
    return [
        Key(
            nobody if None in exposures else money(sum(exposures), records.currency),
            say("key_outstanding", loans=number_of(loans, "loan")),
        ),
        Key(nobody if late is None else same(late), say("key_late" if weight.is_money else "key_late_loans")),
        Key(same(f"{open_alerts:,}"), say("key_alerts")),
        Key(
            nobody if queues is None else same(f"{sum(each.open for each in queues):,}"),
            say("key_tasks", overdue=nobody if queues is None else f"{sum(each.overdue for each in queues):,}"),
        ),
        Key(
            same(f"{counts['caught']:,}") if counts["defaulted"] else nobody,
            say("key_caught", defaulted=f"{counts['defaulted']:,}"),
        ),
        Key(median_text(effect), say("key_lead")),
    ]
