"""Folders, and what is noted in them, that are still there after the power failed."""

import os
from pathlib import Path


def fsync_folder(folder: Path) -> None:
    """What was made or renamed in a folder stays there."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def make_folder(folder: Path) -> None:
    """Make a folder and those that lead to it; what is noted in their parents is written, too."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        fsync_folder(each.parent)
