"""The steps of a register as people read them."""

import json
from collections.abc import Iterator
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.shells.against.paired import Difference as Paired
from pipeline.shells.against.show import difference as difference_text
from pipeline.shells.figures import Figure
from pipeline.shells.publishing.bundle import Files
from pipeline.shells.publishing.bundle import write as write_bundle
from pipeline.shells.publishing.doors import Log
from pipeline.shells.publishing.register import Entry
from pipeline.shells.publishing.shapes import Difference, Evidence, Past
from pipeline.shells.publishing.texts import TEXTS
from pipeline.shells.show import console
from pipeline.shells.show_verdict import label
from pipeline.shells.show_verdict import written as written_figure
from pipeline.shells.texts import Language, counted, word
from pipeline.shells.verdict import Terms

SHORT = 12  # digits of a hash that people see


def short(bundle: str) -> str:
    """The beginning of a hash."""
    return bundle[:SHORT]


def proposed(entry: Entry, lang: Language) -> None:
    """What was proposed, and what comes next."""
    texts = TEXTS[lang]
    _evidence(entry, lang)
    typer.echo(texts["proposed"].format(short=short(entry.bundle), name=entry.by.name))
    typer.echo(texts["approve_so"].format(short=short(entry.bundle)))


def approved(entry: Entry, lang: Language, *, is_followed: bool) -> None:
    """What is in force now."""
    texts = TEXTS[lang]
    typer.echo(texts[entry.step].format(short=short(entry.bundle), name=entry.by.name))
    if not is_followed:
        typer.echo(texts["follows"])


def log(found: Log, lang: Language, *, with_evidence: bool) -> None:
    """Every step, and what is in force."""
    texts = TEXTS[lang]
    if not found.entries:
        typer.echo(texts["none_yet"])
        return
    table = Table()
    for name in ("n", "at", "what", "shelf", "by", "known_by", "why"):
        table.add_column(texts[name], justify="right" if name == "n" else "left", overflow="fold")
    for each in found.entries:
        what = texts[f"step_{each.step}"]
        row = (str(each.n), each.at[:16].replace("T", " "), what, short(each.bundle), each.by.name)
        table.add_row(*row, texts[each.by.known_by], escape(each.why))
    console().print(table)
    if with_evidence:
        for each in found.entries:
            if each.step == "proposed":
                _evidence(each, lang)
    typer.echo(_in_force(found, lang))


def written(found: Log, folder: Path, lang: Language) -> None:
    """Where the files of a shelf are."""
    typer.echo(TEXTS[lang]["written"].format(short=short(found.entries[0].bundle), folder=folder))


def write(files: Files, folder: Path) -> None:
    """The files of a shelf into a new folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    write_bundle(files, folder)


def as_json(found: Log) -> None:
    """Every step, as one JSON object."""
    told = {"in_force": found.in_force, "entries": [each.model_dump() for each in found.entries]}
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2))


def _in_force(found: Log, lang: Language) -> str:
    texts = TEXTS[lang]
    if found.in_force is None:
        return texts["nothing"]
    who = {each.step: each.by.name for each in found.entries if each.bundle == found.in_force}
    form = texts["in_force" if "approved" in who else "other_in_force"]
    return form.format(short=short(found.in_force), author=who.get("proposed"), approver=who.get("approved"))


def _evidence(entry: Entry, lang: Language) -> None:
    texts = TEXTS[lang]
    if not entry.evidence:
        typer.echo(texts["no_evidence"])
        return
    evidence = Evidence.model_validate(entry.evidence)
    table = Table(title=texts["evidence"], title_justify="left", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, said in _rows(evidence, lang):
        table.add_row(name, escape(said))
    console().print(table)


def _rows(evidence: Evidence, lang: Language) -> Iterator[tuple[str, str]]:
    texts = TEXTS[lang]
    yield texts["changes"], _changes(evidence, lang)
    yield texts["rules"], ", ".join(f"{count} {word(status, lang)}" for status, count in evidence.rules.items())
    yield texts["tests"], texts["tests_said"].format(cases=counted(evidence.tests.cases, "case", lang))
    nudge = evidence.nudge
    said = {"unnoticed": sum(nudge.unnoticed.values()), "moves": nudge.moves, "excused": nudge.excused}
    yield texts["nudge"], texts["nudge_said"].format(rules=counted(nudge.rules, "rule", lang), **said)
    for name, counts in evidence.coverage.items():
        yield texts["coverage"].format(name=name), texts["coverage_said"].format_map(counts.model_dump())
    if evidence.past is None:
        yield texts["past"], texts["past_without"].format(reason=evidence.without_past)
    else:
        yield from _past(evidence.past, lang)


def _changes(evidence: Evidence, lang: Language) -> str:
    texts = TEXTS[lang]
    if evidence.changes is None:
        return texts["first_shelf"]
    return (
        "\n".join(f"{each.rule}{texts['colon']}{each.says[lang]}" for each in evidence.changes)
        or texts["nothing_changed"]
    )


def _past(past: Past, lang: Language) -> Iterator[tuple[str, str]]:
    texts, terms = TEXTS[lang], Terms(budget_openings_a_day=1)
    events = counted(past.events, "event", lang)
    yield texts["past"], texts["past_said"].format(events=events, first_day=past.first_day, as_of=past.as_of)
    for name, value in past.figures.items():
        difference = past.differences.get(name)
        said = written_figure(name, Figure(value=value, of=0), lang)
        yield label(name, terms, lang), said if difference is None else _moved(name, said, difference, lang)
    for who in ("defaulters", "others"):
        moved = getattr(past, who)
        if moved is not None:
            yield texts[who], texts["moved"].format_map(moved.model_dump())


def _moved(name: str, now: str, each: Difference, lang: Language) -> str:
    moved = difference_text(name, Paired(**each.model_dump()))
    return TEXTS[lang]["difference"].format(now=now, moved=moved)
