"""The commands of dead letters: list them, show one, have the engine take them again."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import typer
from rich.markup import escape
from rich.table import Table

from connectors.whole_lines import BadFile
from pipeline.decisions import DeadLetter
from pipeline.shells.embedded.client import KEY_VARIABLE
from pipeline.shells.embedded.commands import PORT
from pipeline.shells.embedded.letters import Letter, Wanted, chosen, counts_in, letter_in, letters_in, letters_of
from pipeline.shells.embedded.quarantine import Aside, asides_in
from pipeline.shells.embedded.reading import read_only
from pipeline.shells.embedded.store import DataError
from pipeline.shells.embedded.texts import TEXTS
from pipeline.shells.manners import Config, Lang, Quiet, fail, settings_of, unreachable
from pipeline.shells.replay import FILES
from pipeline.shells.show import console
from pipeline.shells.texts import Language

LIMIT = 50  # letters of a list, unless it is asked for more

letters_app = typer.Typer(no_args_is_help=True, help="Records that could not be used, and their bytes.")

Data = Annotated[Path | None, typer.Option("--data", help="The data directory of an engine, running or not.")]
From = Annotated[Path | None, typer.Option("--from", help="A folder that a replay or an export wrote.")]
Reason = Annotated[str | None, typer.Option(help="Only those of this reason.")]
Borrower = Annotated[str | None, typer.Option(help="Only those of this borrower.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@letters_app.command("list")
def list_(
    data: Data = None,
    folder: From = None,
    reason: Reason = None,
    borrower: Borrower = None,
    after: Annotated[int, typer.Option(help="Go on behind this number.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = LIMIT,
    as_json: AsJson = False,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Dead letters in the order of their numbers, how many there are of each reason, and who is set aside."""
    settings_of(config)
    wanted = Wanted(reason, borrower, after, limit=limit + 1)
    asides: list[tuple[str, Aside]] = []
    try:
        if data is not None and folder is None:
            with read_only(data) as database:
                found, asides = letters_in(database, wanted), list(asides_in(database))
                counts = {reason: tuple(each) for reason, each in counts_in(database).items()}
        else:
            every = list(letters_of(_only(folder, data)))
            found, counts = chosen(every, wanted), _counted(every)
    except (DataError, BadFile) as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    shown, goes_on = found[:limit], len(found) > limit
    if as_json:
        for each in shown:
            typer.echo(json.dumps(each.told(), ensure_ascii=False))
        return
    _show_list(shown, counts, asides, lang)
    if goes_on:
        typer.echo(TEXTS[lang]["more_letters"].format(after=shown[-1].number))


@letters_app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="N", help="The number of a dead letter.")],
    data: Data = None,
    folder: From = None,
    as_json: AsJson = False,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """One dead letter, with everything that is known of it and its bytes."""
    settings_of(config)
    try:
        if data is not None and folder is None:
            with read_only(data) as database:
                letter = letter_in(database, number)
        else:
            every = letters_of(_only(folder, data))
            letter = next((each for each in every if each.number == number), None)
    except (DataError, BadFile) as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    if letter is None:
        fail(f"N: expected the number of a dead letter, got {number}; forewarn dead-letters list shows them")
    if as_json:
        typer.echo(json.dumps(letter.told(), ensure_ascii=False))
        return
    texts = TEXTS[lang]
    for name, value in letter.told().items():
        if value is not None:
            said = json.dumps(value) if isinstance(value, dict) else value
            typer.echo(f"{texts.get(f'letter_{name}', name)}{texts['colon']}{said}")


@letters_app.command()
def replay(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="N...", help="Numbers of dead letters.")] = None,
    reason: Reason = None,
    borrower: Borrower = None,
    to: Annotated[str, typer.Option(help="Where the engine listens.")] = f"http://127.0.0.1:{PORT}",
    as_json: AsJson = False,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Have the running engine take dead letters again; its key is taken from FOREWARN_API_KEY.

    Those that were taken again already are passed over, unless they are named by their number.
    """
    settings_of(config)
    if bool(numbers) == (reason is not None or borrower is not None):
        fail("N...: expected numbers, or --reason or --borrower in their place; name one of them")
    asked = {"letters": numbers or [], "reason": reason, "borrower_id": borrower}
    texts, refused, all_of_it = TEXTS[lang], 0, 0
    for answer in _answers(to, asked):
        for each in answer["results"]:
            all_of_it, refused = all_of_it + 1, refused + (each["status"] == "refused")
            if as_json:
                typer.echo(json.dumps(each, ensure_ascii=False))
            elif not quiet:
                typer.echo(_result(each, lang))
        if not as_json and not quiet:
            for borrower_id in answer["lifted"]:
                typer.echo(texts["lifted"].format(borrower=borrower_id))
        for number in answer["unknown"]:
            typer.echo(texts["no_letter"].format(number=number), err=True)
    if not as_json and not quiet:
        typer.echo(texts["letters_replayed"].format(all=f"{all_of_it:,}", refused=f"{refused:,}"))


def _answers(to: str, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What the engine answers, a thousand letters after the other."""
    headers = {"Authorization": f"Bearer {os.environ.get(KEY_VARIABLE, '')}", "Content-Type": "application/json"}
    after: int | None = 0
    while after is not None:
        body = json.dumps(asked | {"after": after}).encode()
        try:
            with urlopen(Request(f"{to}/v1/dead-letters/replay", body, headers)) as response:
                answer = json.load(response)
        except HTTPError as error:
            fail(_detail(error, to))
        except (URLError, ValueError) as error:
            fail(
                f"{to}: expected an engine that listens, got {error}; start it with forewarn run, or name it with --to"
            )
        yield answer
        after, asked = answer["after"], asked | {"until": answer["until"]}


def _detail(error: HTTPError, to: str) -> str:
    """What an answer says of itself; another server's may say nothing."""
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{to}: expected the answer of an engine, got status {error.code}; check the address"


def _only(folder: Path | None, data: Path | None) -> Path:
    """The folder of a replay, when nothing else is named."""
    if folder is None or data is not None:
        fail("--data: expected the data of an engine, or --from and a folder of a replay; name one of them")
    file = folder / FILES[DeadLetter]
    if not file.is_file():
        fail(f"{folder}: expected a folder that a replay wrote, got one without {file.name}; check the name")
    return folder


def _counted(letters: list[Letter]) -> dict[str, tuple[int, ...]]:
    reasons = [each.reason for each in letters]
    return {reason: (reasons.count(reason), reasons.count(reason)) for reason in sorted(set(reasons))}


def _show_list(
    letters: list[Letter], counts: dict[str, tuple[int, ...]], asides: list[tuple[str, Aside]], lang: Language
) -> None:
    texts, out = TEXTS[lang], console()
    table = Table()
    for name in ("number", "reason", "day", "borrower_id", "source", "replayed_as", "why"):
        table.add_column(texts[f"letter_{name}"], overflow="fold")
    for each in letters:
        place = texts["colon"].join(str(value) for value in each.source.values())
        again = "" if each.replayed_as is None else str(each.replayed_as)
        cells = (str(each.number), each.reason, each.day or "", each.borrower_id or "", place, again, each.why)
        table.add_row(*(escape(cell) for cell in cells))
    out.print(table)
    for reason, (everything, waiting) in counts.items():
        said = texts["letters_of_reason"].format(reason=reason, all=f"{everything:,}", open=f"{waiting:,}")
        out.print(said, markup=False)
    for borrower_id, aside in asides:
        said = texts["is_aside"].format(borrower=borrower_id, line=aside.line, fault=aside.fault)
        out.print(said, markup=False, soft_wrap=True)


def _result(result: dict[str, Any], lang: Language) -> str:
    said = TEXTS[lang]["letter_taken"].format(**result)
    return said if result["reason"] is None else f"{said}{TEXTS[lang]['colon']}{result['reason']}, {result['why']}"
