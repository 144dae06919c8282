"""A file that stands under its name whole or not at all."""

import os
from pathlib import Path

from connectors.whole_lines import BadFile


def put(content: bytes, out: Path, sources: list[Path]) -> None:
    """Write beside the place and move there; BadFile where that cannot be, or where a source of the content stands."""
    if out.exists() and any(each.exists() and out.samefile(each) for each in sources):
        raise BadFile(f"{out}: expected another file to write to, got one that is read; change --out")
    draft = out.with_name(f".{out.name}.draft")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        os.replace(draft, out)
    except OSError as error:
        raise BadFile(f"{out}: expected a file that can be written, got {error.strerror}; change --out") from None
    finally:
        if draft.is_file():
            draft.unlink()
