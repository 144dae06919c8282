"""The command `forewarn doctor`: whether a data directory is sound, and what can be saved of it."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.shells.embedded.doctor import Finding, examined
from pipeline.shells.embedded.lock import held
from pipeline.shells.embedded.salvage import Saved, salvage
from pipeline.shells.embedded.store import LOCK, DataError
from pipeline.shells.embedded.texts import TEXTS
from pipeline.shells.manners import Config, Lang, Quiet, fail, settings_of, unreachable
from pipeline.shells.show import console
from pipeline.shells.texts import Language

DAMAGED = 1


def doctor(
    data: Annotated[Path, typer.Option(help="The engine's data directory.")],
    out: Annotated[Path | None, typer.Option("--salvage", help="A new folder for all that can be saved.")] = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Say of a data directory whether it is sound: exit code 0, or 1 when it is damaged.

    It reads only. A running engine may be examined; to save something, stop it first.
    """
    settings_of(config)
    if out is not None:
        _refuse_to_save(data, out)
    try:
        findings = list(examined(data))
        if not quiet:
            _show(findings, data, lang)
        if out is not None:
            saved = salvage(data, out)
            if not quiet:
                _show_saved(saved, out, lang)
    except DataError as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    if not all(each.is_sound for each in findings):
        raise typer.Exit(DAMAGED)


def _refuse_to_save(data: Path, out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        fail(f"{out}: expected a folder that is new or empty, got one with something in it; name another")
    try:
        os.close(held(data / LOCK))
    except BlockingIOError:
        fail(f"{data}: expected an engine that is stopped, got one that runs; stop it, then save what can be saved")
    except OSError:
        return  # Where no lock can be made, no engine works either.


def _show(findings: list[Finding], data: Path, lang: Language) -> None:
    texts = TEXTS[lang]
    table = Table()
    for name in ("doctor_check", "doctor_state", "doctor_said"):
        table.add_column(texts[name], overflow="fold")
    for each in findings:
        state = texts["doctor_sound" if each.is_sound else "doctor_damaged"]
        said = texts[f"doctor_{each.said}"].format(**each.values)
        table.add_row(texts[f"doctor_of_{each.check}"], state, escape(said))
    out = console()
    out.print(table)
    is_sound = all(each.is_sound for each in findings)
    said = texts["doctor_all_sound" if is_sound else "doctor_some_damaged"].format(folder=data)
    out.print(said, markup=False, soft_wrap=True)


def _show_saved(saved: dict[str, Saved], out: Path, lang: Language) -> None:
    texts = TEXTS[lang]
    for name, each in saved.items():
        values = {"saved": f"{each.saved:,}", "last": f"{each.last:,}", "lost": f"{each.lost:,}"}
        typer.echo(texts[f"salvaged_{name}"].format(**values))
    typer.echo(texts["salvaged_to"].format(folder=out))
