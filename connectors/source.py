"""The rows of a CSV file, plain or gzip, one by one; of a file that breaks off, every whole line."""

import csv
from collections.abc import Iterator
from pathlib import Path

from connectors.cells import Row
from connectors.mapping import MappingError
from connectors.whole_lines import BadFile, WholeLines

MAX_LINE = 1 << 24  # A longer line is no row of a bank's file, and must not fill the memory.


class Source:
    """A CSV file that is being read."""

    def __init__(self, file: Path, *, separator: str = ",") -> None:
        self.name = file.name
        self._kind = "comma-separated" if separator == "," else f"{separator!r}-separated"
        try:
            self.size = file.stat().st_size
            self._lines = WholeLines(file, longest=MAX_LINE)
        except OSError as error:
            raise MappingError(f"{file}: expected a readable CSV file, got {error.strerror}; check the name") from None
        try:
            self._reader = csv.reader(self._texts(), delimiter=separator, strict=True)
            self.header = self._read_header()
        except BaseException:
            self.close()
            raise

    @property
    def is_cut_off(self) -> bool:
        """Whether the gzip stream broke off, known at the end: its whole lines were used."""
        return self._lines.is_cut_off

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()

    def bytes_read(self) -> int:
        """How far into the file reading has come."""
        return self._lines.bytes_read()

    def rows(self) -> Iterator[Row]:
        """Each row with its line in the file; the header is line 1."""
        width = len(self.header)
        while (cells := self._next()) is not None:
            line = self._reader.line_num
            if not cells:
                continue  # A blank line, as at the end of many files.
            if len(cells) != width:
                raise MappingError(
                    f"row {line}: expected {width} columns as in the header, got {len(cells)}; correct the file"
                )
            yield Row(cells, line=line, header=self.header)

    def _read_header(self) -> list[str]:
        header = [name.strip() for name in self._next() or []]
        if not header:
            cause = "a gzip stream that breaks off before its first line" if self.is_cut_off else "an empty file"
            raise MappingError(f"{self.name}: expected a header line with the names of the columns, got {cause}")
        twice = sorted({name for name in header if name and header.count(name) > 1})
        if twice:
            raise MappingError(f"{self.name}: expected each column once, got '{twice[0]}' twice; rename one")
        return header

    def _next(self) -> list[str] | None:
        try:
            return next(self._reader, None)
        except BadFile as error:
            raise MappingError(str(error)) from None
        except csv.Error as error:
            if self.is_cut_off:  # The stream broke off inside quotes: no whole line.
                return None
            raise MappingError(
                f"row {self._reader.line_num}: expected {self._kind} values, got a line that is none ({error}); "
                "correct the file"
            ) from None

    def _texts(self) -> Iterator[str]:
        for number, line in enumerate(self._lines, start=1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                got = f"byte 0x{line[error.start]:02x}"
                raise MappingError(f"row {number}: expected UTF-8, got {got}; save the file as UTF-8") from None
