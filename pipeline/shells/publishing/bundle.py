"""A shelf as one value: its files under one hash, so that whoever has the hash knows whether they are those.

    FOLDER/rules/<pack>/*.yaml     the rules and their texts
    FOLDER/shelf.lock              how often each of them changed

The hash is that of a list as `sha256sum` writes it, by name: `SHA256  NAME` a file.

BundleError     files that are no bundle
"""

import os
import re
import shutil
from hashlib import sha256
from pathlib import Path, PurePosixPath
from secrets import token_hex

from pipeline.shells.lasting import fsync_folder, make_folder
from rules.loader import rule_files
from rules.sidecars import sidecar_files

RULES, LOCK = "rules", "shelf.lock"
MOST_FILES, MOST_BYTES = 20_000, 32 << 20
Files = dict[str, str]  # name in the bundle -> text

_NAME = re.compile(rf"{RULES}(/[\w.-]{{1,80}}){{1,8}}\.yaml")
_HASH = re.compile("[0-9a-f]{64}")


class BundleError(Exception):
    """Files that are no bundle, in one sentence."""


def bundle_hash(files: Files) -> str:
    """The hash of a bundle.

    >>> bundle_hash({"rules/late.yaml": "rule: late"})[:16]
    '06e0a17a070a2666'
    """
    lines = "".join(f"{sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(files.items()))
    return sha256(lines.encode()).hexdigest()


def is_hash(text: str) -> bool:
    """Whether a text is the whole hash of something."""
    return _HASH.fullmatch(text) is not None


def bundled(folders: list[Path]) -> Files:
    """The rules of some folders and their texts, each pack under its own name; RuleError where there are none."""
    files: Files = {}
    for folder in folders:
        top = PurePosixPath(RULES) if len(folders) == 1 else PurePosixPath(RULES, folder.resolve().name)
        for path in sorted({*rule_files([folder]), *sidecar_files([folder])}):
            name = str(top / path.relative_to(folder).as_posix())
            if name in files:
                raise BundleError(f"{path}: expected a name of its own among the folders, got a second {name}; rename")
            try:
                files[name] = path.read_text("utf-8")
            except UnicodeDecodeError:
                raise BundleError(f"{path}: expected UTF-8, got other bytes; save the file as UTF-8") from None
    refuse_others(files)
    return files


def refuse_others(files: Files) -> None:
    """Names lead nowhere else and there is not more than a shelf has; BundleError otherwise."""
    for name in files:
        if name != LOCK and (_NAME.fullmatch(name) is None or ".." in PurePosixPath(name).parts):
            raise BundleError(f"files: expected names such as {RULES}/pack/rule.yaml, got {name!r}; rename it")
    if not files.keys() - {LOCK}:
        raise BundleError("files: expected at least one rule file, got none; name the folder that holds them")
    try:
        size = sum(len(text.encode()) for text in files.values())
    except UnicodeEncodeError as error:
        raise BundleError(f"files: expected text that UTF-8 can write, got {error.reason}; save it again") from None
    if len(files) > MOST_FILES or size > MOST_BYTES:
        most = f"{MOST_FILES:,} files of {MOST_BYTES >> 20} MiB"
        raise BundleError(f"files: expected at most {most}, got {len(files):,} of {size:,} bytes; split the shelf")


def files_in(folder: Path) -> Files:
    """The bundle that stands in a folder; BundleError where something else does, which no hash could be over."""
    paths = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    for path in paths:
        if path.is_symlink() or not path.is_file():
            raise BundleError(f"{path}: expected a file of its own, got a link or a device; take it out")
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8") for path in paths}


def write(files: Files, folder: Path) -> None:
    """Write a bundle into a folder that is not there yet: whole and on the disk, or not at all."""
    draft = folder.with_name(f".{token_hex(8)}")
    for name, text in files.items():
        path = draft / name
        make_folder(path.parent)
        with path.open("xb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
    for path in (draft, *draft.rglob("*/")):
        fsync_folder(path)
    try:
        draft.rename(folder)
    except OSError:  # Somebody wrote the same files in the meantime.
        shutil.rmtree(draft)
        if not folder.is_dir():
            raise
    fsync_folder(folder.parent)
