"""What an engine ran with: its rules and settings as marks, and where they stand."""

from hashlib import sha256
from pathlib import Path

import msgspec

from config.settings import Settings
from pipeline.shells.embedded.standing import Ran


def ran_with(shelf: str, settings: Settings, rules: list[Path] | None, config: Path | None) -> Ran:
    """What decides beside the events, and where it stands."""
    # Sets in the settings are written sorted: another process has them in another order.
    # A clock decides nothing, as what it closes stands in the log, nor do the names of topics.
    deciding = msgspec.json.encode(settings.model_dump(exclude={"day_end", "kafka"}), order="deterministic")
    folders = None if rules is None else [str(folder.resolve()) for folder in rules]
    return Ran(
        mark=sha256(deciding).hexdigest(),
        shelf=shelf,
        rules=folders,
        config=None if config is None else str(config.resolve()),
    )
