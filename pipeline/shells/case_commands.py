"""The commands around the cases of rules: `forewarn rules test`, `new` and `watch`."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from connectors.whole_lines import BadFile
from pipeline.events import CATALOGUE
from pipeline.shells.cases import run_case
from pipeline.shells.manners import SHELF, Config, Lang, Quiet, fail, faulty, refuse_no_folder, settings_of, unreachable
from pipeline.shells.put import put
from pipeline.shells.terms import terms_of
from pipeline.zone import Zone
from rules.faults import RuleError
from rules.loader import load_shelf

Folder = Annotated[Path, typer.Argument(help="Rule folder or file; the shipped shelf when absent.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Make these commands part of `forewarn rules`."""
    for command in (test, new, watch):
        app.command()(command)


def test(
    folder: Folder = SHELF,
    junit: Annotated[Path | None, typer.Option(help="Write the results as JUnit XML, too.")] = None,
    nudge: Annotated[
        bool, typer.Option("--nudge", help="Move every deciding number and operator, and say what no case notices.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --nudge: exit code 1 if a move goes unnoticed.")
    ] = False,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """The cases in the rule files, run on the engine."""
    # Tables, moves and XML are loaded where they are wanted: every command would wait for them.
    from pipeline.shells import junit as the_junit
    from pipeline.shells import show_cases
    from pipeline.shells.nudging import nudged

    if strict and not nudge:
        fail("--strict: expected --nudge beside it, got --strict alone; a case that fails is exit code 1 without it")
    terms = terms_of(settings_of(config))
    refuse_no_folder(folder)
    try:
        shelf = load_shelf([folder], CATALOGUE, None)
    except RuleError as error:
        faulty(error)
    done = [run_case(rule, case, terms) for rule in shelf.rules for case in rule.tests]
    failed = list(dict.fromkeys(each.rule.rule for each in done if not each.passed))
    found = [nudged(rule, terms) for rule in shelf.rules if rule.rule not in failed] if nudge else []
    if junit is not None:
        by_rule = {each.rule.rule: each for each in found}
        try:
            sources = [Path(rule.file) for rule in shelf.rules]
            put(the_junit.junit(done, by_rule, terms, lang, strict=strict), junit, sources)
        except BadFile as error:
            fail(str(error).replace("--out", "--junit"))
    if not quiet or failed:
        show_cases.lines_of(done, terms, lang, only_failed=quiet)
    if nudge:
        show_cases.moves(found, failed, lang, only_unnoticed=quiet)
    if failed or (strict and any(each.unnoticed for each in found)):
        raise typer.Exit(1)


def new(
    name: Annotated[str, typer.Argument(help="The name of the rule: small letters, digits and hyphens.")],
    folder: Annotated[Path, typer.Argument(help="Where its file goes; the folder you are in when absent.")] = Path(),
    like: Annotated[
        str | None, typer.Option(help="A rule to begin with: one of the folder, or one that is shipped.")
    ] = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """A new rule with its first cases, ready to edit."""
    from pipeline.shells.case_texts import WORDS
    from pipeline.shells.new_rule import NotNew, file_of, original_of, text_like, text_of_blank

    on = Zone(settings_of(config).zone).today(time.time_ns() // 1_000_000)
    model = original_of(name) if like is None else like
    try:
        file = file_of(name, folder)
        text = text_of_blank(name, on, lang) if model is None else text_like(model, name, folder, on)
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as written:
            written.write(text)
    except NotNew as error:
        fail(str(error))
    except RuleError as error:
        faulty(error)
    except OSError as error:
        fail(unreachable(error))
    if not quiet:
        typer.echo(WORDS[lang]["made" if model is None else "made_like"].format(file=file, like=model))


def watch(
    folder: Folder = SHELF,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Check and test a rule again whenever its file is saved, until Ctrl-C."""
    from pipeline.shells import show_watch
    from pipeline.shells.rule_watch import first_look, looked_again, saves_in

    terms = terms_of(settings_of(config))
    refuse_no_folder(folder)
    with suppress(KeyboardInterrupt):
        try:
            saves = saves_in(folder.resolve())
            next(saves)  # From here on no save is lost; what was saved before is read now.
            kept, seen = first_look(folder.resolve(), terms)
            show_watch.all_of(seen, folder, terms, lang, quiet=quiet)
            for changed in saves:
                begun = time.perf_counter()
                found = list(looked_again(kept, changed, terms))
                show_watch.each_of(found, time.perf_counter() - begun, terms, lang, quiet=quiet)
        except OSError as error:
            fail(f"{folder}: expected a folder that can be watched, got {error.strerror or error}; check its rights")
