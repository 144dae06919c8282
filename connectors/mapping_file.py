"""Mappings as they stand in files: found by name, read and checked, every fault at once."""

from pathlib import Path

from connectors.mapping import MAPPINGS, Folder, Mapping, MappingError, OneFile
from connectors.mapping_checks import findings
from rules.faults import RuleError, suggestion
from rules.yaml_text import read, validate


def load_mapping(name: Path | str) -> Mapping:
    """The mapping of a shipped name, or of a file of one's own (`*.yaml`)."""
    file = _file_of(name)
    try:
        document = read(file.read_text("utf-8"), file.name)
        is_folder = isinstance(document.data, dict) and "files" in document.data
        mapping: Mapping = validate(document, Folder) if is_folder else validate(document, OneFile)
    except UnicodeDecodeError:
        raise MappingError(f"{file.name}: expected UTF-8, got other bytes; save the file as UTF-8") from None
    except OSError as error:
        raise MappingError(f"{file}: expected a readable mapping file, got {error.strerror}; check the name") from None
    except RuleError as error:
        raise MappingError(str(error)) from None
    found = findings(mapping, stem=file.name.removesuffix(".yaml"))
    if found:
        raise MappingError(str(RuleError(document.fault(path, text) for path, text in found)))
    return mapping


def shipped_mappings() -> list[str]:
    """The names of the mappings that come with the project."""
    return sorted(file.stem for file in MAPPINGS.glob("*.yaml"))


def _file_of(name: Path | str) -> Path:
    if isinstance(name, Path) or name.endswith(".yaml"):
        return Path(name)
    known = shipped_mappings()
    if name not in known:
        raise MappingError(
            f"--mapping: expected one of {', '.join(known)} or a file *.yaml, got {name!r}{suggestion(name, known)}"
        )
    return MAPPINGS / f"{name}.yaml"
