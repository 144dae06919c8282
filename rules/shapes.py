"""What pydantic found wrong with data, said in the words of the file: path, what was expected, what came."""

from dataclasses import dataclass, replace
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from rules.faults import nearest, one_of, shown, suggestion

Path = tuple[str | int, ...]

NO_FIELD = "no such field"
MOST_SUGGESTIONS = 200  # a file with more unknown fields is none of ours, and looking for near names is dear

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a mapping such as {{name: value}}",
    "model_type": "a mapping of fields",
    "model_attributes_type": "a mapping of fields",
    "date_type": "a date such as 2025-03-01",
    "date_parsing": "a date such as 2025-03-01",
    "date_from_datetime_parsing": "a date such as 2025-03-01",
    "date_from_datetime_inexact": "a date such as 2025-03-01",
    "time_parsing": 'a time such as "18:00"',
    "time_type": 'a time such as "18:00"',
    "greater_than": "a number above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "at most {le}",
    "string_too_short": "a text of at least {min_length} characters",
    "string_too_long": "a text of at most {max_length} characters",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
    "string_pattern_mismatch": "a text of the form {pattern}",
}


@dataclass(frozen=True)
class Problem:
    """One thing that pydantic found, at its path in the file."""

    path: Path
    message: str
    at_value: bool = False  # a word out of a list: the word itself is what must change
    spoils: tuple[Path, ...] = ()  # what is not as it was meant: what stands there, and what should


def problems(error: ValidationError, model: type[BaseModel], data: Any) -> list[Problem]:
    """Each thing that is wrong, in words; a field is not missing as well where its name is misspelt."""
    found: list[Problem] = []
    missing: list[Problem] = []
    unknown = 0
    for each in error.errors(include_url=False):
        kind = each["type"]
        path = _path_in(data, each["loc"], is_missing=kind in ("missing", "missing_argument"))
        if kind == "missing":
            missing.append(_missing(path, model))
        elif kind == "extra_forbidden":
            unknown += 1
            is_near = unknown <= MOST_SUGGESTIONS
            found.append(_unknown(path, model, data) if is_near else Problem(path, NO_FIELD, spoils=(path,)))
        else:
            problem = _problem(kind, path, each.get("input"), each.get("ctx", {}), each["msg"])
            is_value = problem.at_value and each["loc"][-1:] != ("[key]",)
            found.append(replace(problem, at_value=is_value, spoils=(path,)))
    meant = {place for each in found for place in each.spoils}
    return found + [each for each in missing if meant.isdisjoint(each.spoils)]


def _missing(path: Path, model: type[BaseModel]) -> Problem:
    field = _field_at(model, path)
    about = f": {field.description}" if field and field.description else ""
    return Problem(path[:-1], f"{path[-1]} is missing{about}", spoils=(path,))


def _unknown(path: Path, model: type[BaseModel], data: Any) -> Problem:
    owner = _model_at(model, path[:-1])
    names = _names(owner) if owner else []
    message = NO_FIELD + suggestion(str(path[-1]), names)
    meant = nearest(str(path[-1]), names)
    for step in path[:-1]:
        data = data[step]
    if meant is None or holds(data, meant):
        return Problem(path, message, spoils=(path,))
    return Problem(path, message, spoils=(path, (*path[:-1], meant)))


def _problem(kind: str, path: Path, value: Any, context: Any, text: str) -> Problem:
    if kind in ("literal_error", "enum"):
        words = _words(context)
        return Problem(path, f"expected {one_of(words)}, got {shown(value)}{_near(value, words)}", at_value=True)
    if kind in ("value_error", "assertion_error"):
        return Problem(path, str(context.get("error", text)))
    if kind in ("date_parsing", "date_from_datetime_parsing") and "out of range" in text:
        return Problem(path, f"expected a date of the calendar, got {shown(value)}")
    expected = _EXPECTED.get(kind)
    if expected is None:
        return Problem(path, f"{text[:1].lower()}{text[1:]}, got {shown(value)}")
    got = str(context["actual_length"]) if "actual_length" in context else shown(value)
    return Problem(path, f"expected {expected.format(**context)}, got {got}")


def _near(value: Any, words: list[str]) -> str:
    near = suggestion(value, words) if isinstance(value, str) else ""
    return near if "did you mean" in near else ""


def _words(context: Any) -> list[str]:
    # pydantic gives the words of a Literal as one text: 'low', 'medium' or 'high'.
    text = str(context.get("expected", ""))
    return [part.strip().strip("'") for part in text.replace(" or ", ", ").split(", ")]


def _path_in(data: Any, loc: Path, *, is_missing: bool) -> Path:
    # pydantic adds steps of its own (the branch of a union, "[key]"); only those of the file are kept.
    path: list[str | int] = []
    for i, step in enumerate(loc):
        is_last = i == len(loc) - 1
        if holds(data, step):
            data = data[step]
        elif not (is_missing and is_last):
            continue
        path.append(step)
    return tuple(path)


def holds(data: Any, step: str | int) -> bool:
    """Whether something stands one step below."""
    if isinstance(data, dict):
        return step in data
    return isinstance(data, list | tuple) and isinstance(step, int) and step < len(data)


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _field_at(model: type[BaseModel], path: Path) -> FieldInfo | None:
    owner = _model_at(model, path[:-1])
    if owner is None:
        return None
    return next((field for name, field in owner.model_fields.items() if (field.alias or name) == path[-1]), None)


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model that describes what stands at a path: through lists, mappings and optional fields."""
    here: Any = model
    for step in path:
        here = _below(here, step)
    return _model_in(here)


def _below(annotation: Any, step: str | int) -> Any:
    """The annotation of what stands one step below, None when there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return next((field.annotation for name, field in fields if (field.alias or name) == step), None)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return parts[1]
    if origin in (list, tuple):
        return parts[0]
    return next((found for found in (_below(part, step) for part in parts) if found is not None), None)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, BaseModel) else None
    if get_origin(annotation) in (dict, list, tuple):
        return None
    return next((found for found in map(_model_in, get_args(annotation)) if found), None)
