"""Rules tested again as they are saved: only the file that changed is read, and only its cases run."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from watchfiles import Change, watch

from pipeline.events import CATALOGUE
from pipeline.shelf import BankTerms
from pipeline.shells.cases import Outcome, run_case
from rules.conflicts import cycle_faults, name_faults
from rules.faults import Fault, RuleError
from rules.loader import SIDECAR, Loaded, load_file, rule_files, sound_rules
from rules.sidecars import load_texts

Kept = dict[Path, Loaded]


_LISTEN_MS = 200  # how long the first answer of the watcher takes, which says that it listens
_STEP_MS = 20  # saves that come closer together are one


class Seen(NamedTuple):
    """One rule file after a look at it: gone, or its faults and how its cases went."""

    path: Path
    is_gone: bool
    faults: tuple[Fault, ...]
    outcomes: tuple[Outcome, ...]


def first_look(folder: Path, terms: BankTerms) -> tuple[Kept, list[Seen]]:
    """Every rule file as it is; a folder may be empty yet."""
    try:
        files = rule_files([folder])
    except RuleError:
        return {}, []
    kept: Kept = {}
    for path in files:
        kept[path] = load_file(path, CATALOGUE)
    return kept, [_seen(path, kept, terms) for path in kept]


def looked_again(kept: Kept, changed: Iterable[Path], terms: BankTerms) -> Iterator[Seen]:
    """The rules whose file, or whose texts, changed; `kept` is brought up to date."""
    for path in dict.fromkeys(_rule_file(each) for each in changed):
        if path.is_file():
            kept[path] = load_file(path, CATALOGUE)
            yield _seen(path, kept, terms)
        elif kept.pop(path, None) is not None:
            yield Seen(path, True, (), ())


def _seen(path: Path, kept: Kept, terms: BankTerms) -> Seen:
    loaded = kept[path]
    faults = [*loaded.faults, *_together(path, kept)]
    if loaded.rule is None or loaded.faults:
        return Seen(path, False, tuple(faults), ())
    try:
        load_texts(loaded.rule, "zh")
    except RuleError as error:
        faults += error.faults
    return Seen(path, False, tuple(faults), tuple(run_case(loaded.rule, case, terms) for case in loaded.rule.tests))


def _together(path: Path, kept: Kept) -> list[Fault]:
    """What only all rules together show, and this file is to blame for."""
    rules = sound_rules(kept.values())
    return [each for each in (*name_faults(rules), *cycle_faults(rules)) if each.file == str(path)]


def _rule_file(path: Path) -> Path:
    """The rule of a file of texts, or the file itself."""
    if not SIDECAR.fullmatch(path.name):
        return path
    return path.with_name(f"{path.name.removesuffix('.yaml').rpartition('.')[0]}.yaml")


def saves_in(folder: Path) -> Iterator[set[Path]]:
    """The files saved in a folder, or a file alone, as it happens; the first answer, empty, says that it listens.

    A file is watched through its folder: many editors put another file in its place.
    """
    place, only = (folder.parent, folder) if folder.is_file() else (folder, None)

    def is_of_rules(_: Change, path: str) -> bool:
        name = Path(path).name
        return name.endswith(".yaml") and not name.startswith(".") and (only is None or _rule_file(Path(path)) == only)

    for changes in watch(
        place,
        watch_filter=is_of_rules,
        recursive=only is None,
        debounce=_LISTEN_MS,
        step=_STEP_MS,
        rust_timeout=_LISTEN_MS,
        yield_on_timeout=True,
        raise_interrupt=True,
    ):
        yield {Path(path) for _, path in changes}
