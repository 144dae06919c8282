"""Where the checks of one file write what they find."""

from rules.faults import Fault
from rules.yaml_text import Document, Path


class Notes:
    """The faults of one document, each at its path."""

    def __init__(self, document: Document, faults: list[Fault]) -> None:
        self.document = document
        self.faults = faults

    def __call__(self, path: Path, message: str, *, at_value: bool = False) -> None:
        """Note a fault at a path."""
        # What YAML would have misread is already a fault; a second sentence about the same place helps nobody.
        if path not in self.document.trapped:
            self.faults.append(self.document.fault(path, message, at_value=at_value))
