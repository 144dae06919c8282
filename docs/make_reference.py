"""Lays tables into the reference of the rule language, in English and Chinese; the text between is written by hand.

What a field means is what an editor shows of it; examples and words of tables are in docs/rules/reference.yaml.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import TypeAdapter

from config.settings import load
from pipeline.events import CATALOGUE
from rules import meanings
from rules.cases import LAST_DAY
from rules.catalogue import Kind
from rules.checks import LONGEST_NAME
from rules.conditions import ConditionFaults, Sort, parse_when
from rules.loader import load_rule, load_text
from rules.measuring import FORMS
from rules.rule import Rule, Span
from rules.say import Language, render
from rules.schema import Schema, rule_schema, texts_schema
from rules.versions import rule_hash, rule_shape
from rules.written import Ago, Date, Days, Prose, Title, Window, Word
from rules.yaml_text import read

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "rules"
PAGES: dict[Language, Path] = {"en": FOLDER / "reference.en.md", "zh": FOLDER / "reference.zh.md"}
BASE = ROOT / "docs" / "examples" / "rules" / "missed-and-silent.yaml"
CHINESE = ROOT / "rules" / "language.zh.yaml"
LAID: dict[str, Any] = yaml.safe_load((FOLDER / "reference.yaml").read_text("utf-8"))
MODELS = ("RuleFile", "MeasureFile", "TaskFile", "CaseFile", "Given", "ExpectedFile", "TextsFile")
WORDS = ("STATUSES", "SEVERITIES", "KEYS", "ACROSS", "RELATIONS", "UNITS")
SORTS: dict[str, Sort] = {
    "missed": "number", "overdue": "number", "income": "number", "income_before": "number", "slide": "truth"
}  # fmt: skip

# The forms of text, by the pattern that the schema has for them.
FORMS_OF_TEXT = {
    TypeAdapter(form).json_schema()["pattern"]: word
    for form, word in (
        (Window, "window"), (Days, "span_days"), (Ago, "ago"), (Date, "date"), (Word, "word"), (Title, "title"),
        (Prose, "prose"),
    )
}  # fmt: skip
# What a schema cannot say in few words: it lists all events, or knows a text where a condition stands.
TAKES = {
    "RuleFile.rule": "names", "RuleFile.refs": "refs", "RuleFile.basis": "basis", "RuleFile.challenges": "rule_name",
    "RuleFile.measure": "measures", "RuleFile.when": "condition", "RuleFile.escalate": "conditions",
    "RuleFile.say": "message", "RuleFile.inhibited_by": "rule_names", "RuleFile.task": "task",
    "RuleFile.tests": "cases", "MeasureFile.count": "event", "MeasureFile.days_since": "event",
    "MeasureFile.from": "event", "MeasureFile.sequence": "events", "MeasureFile.now": "fact",
    "MeasureFile.distinct": "any_field",
    **{f"MeasureFile.{verb}": "number_field" for verb in ("sum", "average", "min", "max", "latest")},
    "CaseFile.given": "given", "CaseFile.expect": "expect", "CaseFile.missing": "days_by_feed",
    "CaseFile.known_from": "day_by_feed", "ExpectedFile.day": "case_day", "Given.day": "case_day",
    "Given.event": "event_name", **{f"Given.{name}": "id" for name in meanings.IDS}, "TextsFile.say": "message",
}  # fmt: skip


def schemas() -> dict[str, Schema]:
    """The shape of each part that a person writes, as an editor has it."""
    rule, texts = rule_schema(CATALOGUE, load(None).queues), texts_schema()
    shapes = {"RuleFile": rule, "TextsFile": texts} | rule["$defs"]
    ids = {name: {"type": "string", "description": text} for name, text in meanings.IDS.items()}
    shapes["Given"] = shapes["Given"] | {"properties": shapes["Given"]["properties"] | ids}
    return {name: shapes[name] for name in MODELS}


@cache
def base() -> Rule:
    """The rule in which examples take the place of its own fields."""
    return load_rule(BASE, CATALOGUE)


def with_lines(lines: str) -> Rule:
    """The base with lines of an example; RuleError when it is no good rule."""
    data = read(base().text, BASE.name).data | read(lines, "example").data
    return load_text(json.dumps(data, default=float), f"{data['rule']}.yaml", CATALOGUE)


def with_measure(measure: str) -> Rule:
    """The base with one measure more, under the key under which it may stand."""
    per = "loan_id" if " of: " in measure else "borrower_id"
    own = {"overdue": "{now: days_past_due}", "silent": "{days_since: repayment.received}", "example": measure}
    lines = ", ".join(f"{name}: {text}" for name, text in own.items())
    return with_lines(f"per: {per}\nmeasure: {{{lines}}}")


def version_of(field: str) -> str:
    """What a change of a field does to the rule's version, as it is counted: a word of the table."""
    attribute = {"for": "hold"}.get(field, field)
    changed = replace(base(), **{attribute: getattr(with_lines(LAID["RuleFile"][field]), attribute)})
    if changed == base():
        raise ValueError(f"RuleFile.{field}: expected an example that differs from {BASE.name}")
    if rule_shape(changed) != base().shape:
        return "ends"
    return "moves" if rule_hash(changed) != base().hash else "absent"


class Page:
    """The tables of one language."""

    def __init__(self, lang: Language) -> None:
        self.lang = lang
        self.words: dict[str, Any] = LAID["words"][lang]
        self.chinese: dict[str, dict[str, str]] = yaml.safe_load(CHINESE.read_text("utf-8"))
        self.shapes = schemas()

    def tables(self) -> dict[str, str]:
        """Each table by the name of its place in the page."""
        found = {f"table-{name}": self._fields(name) for name in MODELS if name not in ("RuleFile", "MeasureFile")}
        found |= {f"words-{name}": self._meanings(name) for name in WORDS}
        return found | {
            "file": f"```yaml\n{BASE.read_text('utf-8')}```",
            "table-RuleFile": self._rule(),
            "verbs": self._verbs(),
            "options": self._options(),
            "facts": self._facts(),
            "conditions": self._conditions("conditions"),
            "wheres": self._conditions("wheres"),
            "refused": self._refused(),
            "slots": self._slots(),
            "times": self._times(),
            "memory": self._memory(),
        }

    # -- fields -------------------------------------------------------------

    def _rule(self) -> str:
        rows = []
        for name, shape in self.shapes["RuleFile"]["properties"].items():
            lines = _code(*LAID["RuleFile"][name].splitlines())
            row = [f"`{name}`", self._about("RuleFile", name, shape), self._takes("RuleFile", name, shape)]
            rows.append([*row, self._default("RuleFile", name, shape), self.words[version_of(name)], lines])
        return _table(self.words["head_rule"], rows)

    def _fields(self, model: str) -> str:
        rows = []
        for name, shape in self.shapes[model]["properties"].items():
            row = [f"`{name}`", self._about(model, name, shape), self._takes(model, name, shape)]
            rows.append([*row, self._default(model, name, shape), _code(LAID[model][name])])
        return _table(self.words["head_field"], rows)

    def _verbs(self) -> str:
        properties, rows = self.shapes["MeasureFile"]["properties"], []
        for verb, form in FORMS.items():
            about = self._about("MeasureFile", verb, properties[verb])
            rows.append(
                [f"`{verb}`", about, self._listed(form.needs), self._listed(form.may), _code(LAID["MeasureFile"][verb])]
            )
        return _table(self.words["head_verb"], rows)

    def _options(self) -> str:
        options = {name: each for name, each in self.shapes["MeasureFile"]["properties"].items() if name not in FORMS}
        rows = [
            [
                f"`{name}`",
                self._about("MeasureFile", name, shape),
                self._takes("MeasureFile", name, shape),
                _code(LAID["MeasureFile"][name]),
            ]
            for name, shape in options.items()
        ]
        return _table(self.words["head_option"], rows)

    def _about(self, model: str, name: str, shape: Schema) -> str:
        if self.lang == "en":
            return str(shape["description"])
        return self.chinese["IDS" if model == "Given" and name in meanings.IDS else model][name]

    def _default(self, model: str, name: str, shape: Schema) -> str:
        if name in self.shapes[model].get("required", ()):
            return str(self.words["required"])
        for rule in self.shapes[model].get("allOf", ()):
            if name in rule["then"].get("required", ()) and "status" in rule["if"]["properties"]:
                return str(self.words["required_when"]).format(
                    status=f"`{rule['if']['properties']['status']['const']}`"
                )
        if name in meanings.IDS and name in ("borrower_id", "loan_id", "account_id"):
            return f"`{name[0].upper()}1`"
        return f"`{shape['default']}`" if "default" in shape else str(self.words["absent"])

    def _takes(self, model: str, name: str, shape: Schema) -> str:
        word = TAKES.get(f"{model}.{name}")
        return self._of(shape) if word is None else str(self.words[word]).format(last=LAST_DAY, longest=LONGEST_NAME)

    def _of(self, shape: Schema) -> str:
        """What may stand in a place whose schema is plain."""
        if "enum" in shape:
            return str(self.words["one_of"]).format(words=self._listed(shape["enum"]))
        if "const" in shape:
            return f"`{shape['const']}`"
        if "pattern" in shape:
            return str(self.words[FORMS_OF_TEXT[shape["pattern"]]])
        if shape.get("type") == "array":
            items = shape["items"]
            if "enum" in items:
                return str(self.words["any_of"]).format(words=self._listed(items["enum"]))
            return str(self.words["texts"] if items.get("pattern") == "\\S" else self.words["rule_names"])
        if shape.get("type") == "integer":
            least = shape.get("minimum")
            return str(self.words["any_whole"] if least is None else self.words["whole"].format(least=least))
        raise ValueError(f"expected a plain schema or a line of TAKES, got {shape}")

    def _listed(self, names: Sequence[str]) -> str:
        return str(self.words["between"]).join(f"`{name}`" for name in names) or str(self.words["absent"])

    # -- words and facts ----------------------------------------------------

    def _meanings(self, name: str) -> str:
        english: Mapping[str, str] = getattr(meanings, name)
        rows = [[f"`{each}`", english[each] if self.lang == "en" else self.chinese[name][each]] for each in english]
        return _table(self.words["head_word"], rows)

    def _facts(self) -> str:
        rows = []
        for fact in CATALOGUE.facts.values():
            about = meanings.FACTS[fact.name] if self.lang == "en" else self.chinese["FACTS"][fact.name]
            worse = self.words["absent"] if fact.worse is None else self.words[fact.worse]
            row = [f"`{fact.name}`", about, self.words["units"][fact.unit], worse]
            rows.append([*row, _code(f"{{now: {fact.name}}}")])
        return _table(self.words["head_fact"], rows)

    def _memory(self) -> str:
        usual = max(CATALOGUE.events.values(), key=lambda kind: kind.kept_days).kept_days
        special: dict[tuple[int, int], list[Kind]] = {}
        for kind in CATALOGUE.events.values():
            if (kind.kept_days, kind.totals_days) != (usual, 0):
                special.setdefault((kind.kept_days, kind.totals_days), []).append(kind)
        days, totals = self.words["days"], self.words["totals"]
        rows = [
            [self._listed([kind.name for kind in kinds]), days.format(n=kept), totals.format(n=total)]
            for (kept, total), kinds in special.items()
        ]
        return _table(
            self.words["head_memory"],
            [*rows, [self.words["other_events"], days.format(n=usual), self.words["absent"]]],
        )

    # -- conditions, messages, times ----------------------------------------

    def _conditions(self, name: str) -> str:
        rows = [[_code(text), en if self.lang == "en" else zh] for text, en, zh in LAID[name]]
        return _table(self.words["head_condition"], rows)

    def _refused(self) -> str:
        return _table(self.words["head_refused"], [[_code(text), sentence_of(text)] for text in LAID["refused"]])

    def _slots(self) -> str:
        rows = []
        for slot, value in LAID["slots"]:
            given = self.words["unknown"] if value is None else f"{value:,}" if value is not True else "true"
            given = self.words["of_window"] if "." in slot.partition(":")[0] else given
            rows.append([_code(slot), given, shown(slot, value, "en"), shown(slot, value, "zh")])
        return _table(self.words["head_slot"], rows)

    def _times(self) -> str:
        at: dict[str, list[str]] = {}
        for shape in (self.shapes[name] for name in MODELS):
            for name, field in shape["properties"].items():
                word = FORMS_OF_TEXT.get(field.get("pattern", ""))
                if word in ("window", "span_days", "ago"):
                    at.setdefault(word, []).append(name)
        forms = (("36h", "`1h`", "`99999h`", "window"), ("60d", "`1d`", "`99999d`", "window"))
        forms += (("8w", "`1w`", "`99999w`", "window"), ("3d", "`0d`", "`9999d`", "span_days"))
        forms += (("2w", "`0w`", "`9999w`", "span_days"), ("35d ago", "`1d ago`", "`9999d ago`", "ago"))
        forms += (("5w ago", "`1w ago`", "`9999w ago`", "ago"),)
        rows = [
            [f"`{form}`", least, most, self._listed(list(dict.fromkeys(at[word])))] for form, least, most, word in forms
        ]
        return _table(self.words["head_time"], rows)

    def page(self) -> str:
        """The page with its tables as the language is now."""
        text = PAGES[self.lang].read_text("utf-8")
        for name, table in self.tables().items():
            marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
            before, _, rest = text.partition(marks[0])
            _, end, after = rest.partition(marks[1])
            if not end:
                raise ValueError(f"{PAGES[self.lang].name}: expected {marks[0]} and {marks[1]}")
            text = f"{before}{marks[0]}\n{table}\n{marks[1]}{after}"
        return text


def sentence_of(condition: str) -> str:
    """What is said of a condition that is refused."""
    try:
        parse_when(condition, SORTS)
    except ConditionFaults as faults:
        return faults.messages[0]
    raise ValueError(f"{condition}: expected a condition that is refused, got a good one")


def shown(slot: str, value: Any, lang: Language) -> str:
    """What a slot becomes in a message."""
    name = re.split(r"[.:}]", slot[1:])[0]
    spans = {"missed": Span(60, "d"), "slide": Span(8, "w")}
    measure = replace(base().measure["silent"], name=name, over=spans.get(name), within=spans.get(name))
    exact = value if value is None or isinstance(value, bool) else Fraction(str(value))
    return render(slot, replace(base(), measure={name: measure}), {name: exact}, lang)


def _code(*lines: str) -> str:
    return "<br>".join(f"`{line}`" for line in lines)


def _table(head: str, rows: list[list[str]]) -> str:
    columns = head.split("|")
    lines = [columns, ["---"] * len(columns), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    for lang in get_args(Language):
        PAGES[lang].write_text(Page(lang).page(), encoding="utf-8")
        print(PAGES[lang].name)
