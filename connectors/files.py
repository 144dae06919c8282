"""Which files a mapping reads: the one that is named, or those of a folder; each bound, with what its rows look up."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from connectors.bind import Binder
from connectors.cells import Row
from connectors.mapping import Folder, Lookup, Mapping, MappingError, Reading
from connectors.plan import Plan, bind
from connectors.source import Source

GZIP = ".gz"


@dataclass
class LookedUp:
    """Cells of another file, by the cell of a column here."""

    column: int
    found: dict[str, list[str]]
    absent: list[str]  # what a key that is not there gives: empty cells, which are unknown


@dataclass
class Reader:
    """One file with its plan."""

    source: Source
    plan: Plan
    header: list[str]
    looked_up: list[LookedUp]
    derived: list[Callable[[Row], Any]]

    def rows(self) -> Iterator[Row]:
        """Each row, with the cells that it looks up and those that are derived."""
        if not self.looked_up and not self.derived:
            return self.source.rows()
        return self._widened()

    def _widened(self) -> Iterator[Row]:
        for row in self.source.rows():
            cells = list(row.cells)
            for each in self.looked_up:
                cells += each.found.get(row.cells[each.column].strip(), each.absent)
            wide = Row(cells, line=row.line, header=self.header)
            for derive in self.derived:
                said = derive(wide)
                cells.append("" if said is None else str(said))
            yield wide


def parts_of(mapping: Mapping, file: Path) -> list[tuple[Reading, Path]]:
    """The parts of a mapping with the file of each; of a folder every part, of a single file the part that it is."""
    if not isinstance(mapping, Folder):
        if file.is_dir():
            raise MappingError(
                f"{file}: expected one CSV file for mapping {mapping.mapping}, got a folder; name a file"
            )
        return [(mapping, file)]
    if file.is_dir():
        found = [(part, _matching(file, part.file)) for part in mapping.parts]
        missing = [_either(part.file) for part, paths in found if not paths]
        if missing:
            raise MappingError(
                f"{file}: expected the files of mapping {mapping.mapping}, plain or gzip, got none for "
                f"{', '.join(missing)}; put them there, or name a single file"
            )
        return [(part, _one(file, part.file)) for part in mapping.parts]
    for part in mapping.parts:
        if _fits(file, part.file):
            return [(part, file)]
    names = ", ".join(_either(part.file) for part in mapping.parts)
    raise MappingError(
        f"{file}: expected a folder with the files of mapping {mapping.mapping}, or one of them ({names}), "
        f"got {'another name' if file.exists() else 'nothing there'}; check the name"
    )


def _matching(folder: Path, patterns: list[str]) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file() and _fits(path, patterns))
    except OSError as error:
        raise MappingError(f"{folder}: expected a folder that can be read, got {error.strerror}; check it") from None


def _one(folder: Path, patterns: list[str]) -> Path:
    """The one file of a folder that a part or a look-up names, plain or gzip."""
    found = _matching(folder, patterns)
    if len(found) == 1:
        return found[0]
    got = f"{found[0].name} and {found[1].name}; take one away" if found else "none; put it there"
    raise MappingError(f"{folder}: expected one file {_either(patterns)}, plain or gzip, got {got}")


def others_in(folder: Path, used: list[Path]) -> list[str]:
    """Files of the folder that no part reads; hidden ones are nobody's data."""
    read = {path.name for path in used}
    return sorted(
        path.name for path in folder.iterdir() if path.is_file() and path.name not in read and path.name[0] != "."
    )


def _either(patterns: list[str]) -> str:
    return " or ".join(patterns)


def _fits(file: Path, patterns: list[str]) -> bool:
    return any(fnmatchcase(file.name.removesuffix(GZIP), pattern) for pattern in patterns)


def opened(mapping: Mapping, part: Reading, file: Path, stack: ExitStack) -> Reader:
    """The file, ready to be read; the stack closes it."""
    source = stack.enter_context(closing(Source(file, separator=_separator(part))))
    header, looked_up = list(source.header), []
    for name, lookup in part.looks_up.items():
        looked_up.append(_look_up(lookup, part, file, source.header))
        header += [f"{name}.{column}" for column in lookup.columns]
    missing: dict[str, None] = {}
    derived = [
        Binder(list(header), mapping, missing=missing).value(value, "text" if value.form == "text" else "date", name)
        for name, value in part.derived.items()
    ]
    header += part.derived
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise MappingError(
            f"{file.name}: expected a name in 'derived' and 'looks_up' that no column has, got '{twice}'; rename it"
        )
    plan = bind(mapping, part, header, file=file.name, missing=missing)
    return Reader(source, plan, header, looked_up, derived)


def _separator(part: Reading) -> str:
    return "," if part.separator is None else part.separator


def _look_up(lookup: Lookup, part: Reading, file: Path, header: list[str]) -> LookedUp:
    there = _one(file.parent, lookup.file)
    with closing(Source(there, separator=_separator(part))) as source:
        key, *columns = (_place(name, source.header, there.name) for name in (lookup.key, *lookup.columns))
        found: dict[str, list[str]] = {}
        for row in source.rows():
            said = row.cells[key].strip()
            if said in found:
                raise MappingError(
                    f"{there.name}: row {row.line}: expected one row for {lookup.key}={said}, got a second one; "
                    "correct the file, or look up another key"
                )
            found[said] = [row.cells[i] for i in columns]
        if source.is_cut_off:
            raise MappingError(f"{there.name}: expected a whole gzip file, got one that breaks off; fetch it again")
    return LookedUp(_place(lookup.by, header, file.name), found, [""] * len(columns))


def _place(name: str, header: list[str], file: str) -> int:
    if name not in header:
        raise MappingError(f"{file}: expected the column '{name}' to look up by, got none of that name; check the file")
    return header.index(name)
