"""The JSON Schema of rule files under the shipped catalogue and queues, in docs/schemas."""

import json

from config.settings import load
from pipeline.events import CATALOGUE
from pipeline.schema import FOLDER
from rules.schema import rule_schema, texts_schema

RULE = "rule.schema.json"
TEXTS = "rule-texts.schema.json"


def texts() -> dict[str, str]:
    """What the files should hold, by name."""
    found = {RULE: rule_schema(CATALOGUE, load(None).queues), TEXTS: texts_schema()}
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in found.items()}


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(name)
