"""The lines of a file, plain or gzip, as bytes; of a gzip stream that breaks off, every whole line.

BadFile     a file whose lines cannot be used
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31  # zlib's number for a stream with a gzip header and checksum
CHUNK = 1 << 18


class BadFile(Exception):
    """A file whose lines cannot be used: a damaged gzip stream, or a line beyond the limit."""


class WholeLines:
    """A file that is being read, line by line, each with the line feed that ends it.

    `is_cut_off` is known at the end: the gzip stream broke off, and what came after its last line feed was dropped.
    """

    def __init__(self, file: Path, *, longest: int | None = None) -> None:
        self.name = file.name
        self.is_cut_off = False
        self._longest = longest  # bytes; None: as long as it gets
        self._raw = file.open("rb")

    def close(self) -> None:
        """Let go of the file."""
        self._raw.close()

    def bytes_read(self) -> int:
        """How far into the file reading has come."""
        return self._raw.tell()

    def __iter__(self) -> Iterator[bytes]:
        """Every line; to be asked for once."""
        begun: list[bytes] = []  # Pieces of the line that goes on: joined once, however many chunks it takes.
        length = 0
        for chunk in self._chunks():
            first, *others = chunk.split(b"\n")
            begun.append(first)
            length += len(first)
            for following in others:
                yield b"".join(begun) + b"\n"
                begun, length = [following], len(following)
            if self._longest is not None and length > self._longest:
                raise BadFile(
                    f"{self.name}: expected lines, got one of more than {self._longest} bytes; check the file"
                )
        if length and not self.is_cut_off:
            yield b"".join(begun)

    def _chunks(self) -> Iterator[bytes]:
        # The gzip module drops up to a buffer of good lines when a stream breaks off, so the stream is unpacked here.
        chunk = self._raw.read(CHUNK)
        if not self._is_gzip(chunk):
            while chunk:
                yield chunk
                chunk = self._raw.read(CHUNK)
            return
        stream = zlib.decompressobj(GZIP_WINDOW)
        try:
            while chunk:
                yield stream.decompress(chunk, CHUNK)
                chunk = (stream.unconsumed_tail + stream.unused_data) or self._raw.read(CHUNK)
                if stream.eof and (chunk := chunk.lstrip(b"\0")):  # Another stream; zeros after the last are padding.
                    stream = zlib.decompressobj(GZIP_WINDOW)
            if not stream.eof:
                yield stream.flush()
        except zlib.error as error:
            # Whole lines of a stream that breaks off are sound; lines of one that was altered need not be.
            raise BadFile(
                f"{self.name}: expected a sound gzip file, got a damaged one ({error}); fetch the file again"
            ) from None
        self.is_cut_off = not stream.eof

    def _is_gzip(self, chunk: bytes) -> bool:
        """Whether the content is gzip, whatever the name says; the name tells only of a stream that hardly began."""
        return chunk.startswith(GZIP_MAGIC) or (self.name.endswith(".gz") and GZIP_MAGIC.startswith(chunk))
