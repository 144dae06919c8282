"""The steps of a register as people read them."""

import json
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.shells.publishing.doors import Log
from pipeline.shells.publishing.texts import TEXTS
from pipeline.shells.show import console
from pipeline.shells.texts import Language, counted
from rules.bundle import Files
from rules.bundle import write as write_bundle
from rules.register import Entry

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
    if "proposed" not in who:  # Another shelf was asked for.
        return texts["in_force"].split(texts["comma"])[0].format(short=short(found.in_force))
    names = {"author": who["proposed"], "approver": who["approved"]}
    return texts["in_force"].format(short=short(found.in_force), **names)


def _evidence(entry: Entry, lang: Language) -> None:
    texts = TEXTS[lang]
    table = Table(title=texts["evidence"], title_justify="left", show_header=False)
    for name, said in _rows(entry.evidence, lang):
        table.add_row(name, escape(said))
    if table.row_count:
        console().print(table)


def _rows(evidence: dict[str, Any], lang: Language) -> list[tuple[str, str]]:
    """Evidence in words, of what of it is there: another program may have sent other things."""
    texts, rows = TEXTS[lang], []
    if "rules" in evidence:
        rows.append((texts["rules"], ", ".join(f"{count} {status}" for status, count in evidence["rules"].items())))
    if "tests" in evidence:
        rows.append((texts["tests"], texts["tests_said"].format(cases=evidence["tests"]["cases"])))
    if "nudge" in evidence:
        nudge = evidence["nudge"]
        said = nudge | {"unnoticed": sum(nudge["unnoticed"].values()), "rules": counted(nudge["rules"], "rule", lang)}
        rows.append((texts["nudge"], texts["nudge_said"].format_map(said)))
    for name, counts in evidence.get("coverage", {}).items():
        rows.append((texts["coverage"].format(name=name), texts["coverage_said"].format_map(counts)))
    return rows
