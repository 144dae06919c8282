"""Changes of rules in words, in both languages: "window of missed 60 d to 45 d"."""

from collections.abc import Callable, Iterable
from typing import Any

from pipeline.shells.texts import Language, word
from rules.changes import Change, RuleChange

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "said": "{rule}: {what}",
        "and": "; ",
        "moved": "{what} {before} to {after}",
        "moved_code": "{what}: {before} to {after}",
        "status_moved": "{before} to {after}",
        "entry_new": "{what} new: {after}",
        "entry_gone": "{what} gone: {before}",
        "new": "new, {status}",
        "gone": "gone, was {status}",
        "only_words": "only words changed: {fields}",
        "words": "words changed: {fields}",
        "nothing": "none",
        "nothing_differs": "nothing differs",
        "comma": ", ",
        "unit_h": "{n} h",
        "unit_d": "{n} d",
        "unit_w": "{n} w",
        "ago": "{span} ago",
        "now": "now",
        "task": "{queue}, {action} in {due_in}",
        "own": "its own",
        "borrower": "the borrower's",
        "texts_in": "texts in {lang}",
        "measure": "measure {of}",
        "measure.over": "window of {of}",
        "measure.ending": "end of the window of {of}",
        "measure.within": "time of the sequence {of}",
        "measure.select": "events of {of}",
        "measure.verb": "verb of {of}",
        "measure.what": "field of {of}",
        "measure.of_borrower": "events that {of} reads",
        "measure.across": "across of {of}",
        "escalate": "escalate {of}",
        "per": "per",
        "when": "when",
        "for": "for",
        "severity": "severity",
        "say": "say",
        "quiet": "quiet",
        "clear_after": "clear after",
        "inhibited_by": "inhibited by",
        "spreads": "spreads",
        "daily_openings": "daily openings",
        "task_of": "task",
        "since": "since",
        "challenges": "challenges",
        "retired_because": "retired because",
        "rule": "rule",
    },
    "zh": {
        "said": "{rule}：{what}",
        "and": "；",
        "moved": "{what}由 {before} 改为 {after}",
        "moved_code": "{what}由 {before} 改为 {after}",
        "status_moved": "由 {before} 改为 {after}",
        "entry_new": "新增{what}：{after}",
        "entry_gone": "删去{what}：{before}",
        "new": "新增，{status}",
        "gone": "已删去，原为 {status}",
        "only_words": "只改了文字：{fields}",
        "words": "文字也有改动：{fields}",
        "nothing": "无",
        "nothing_differs": "没有差别",
        "comma": "、",
        "unit_h": "{n} 小时",
        "unit_d": "{n} 天",
        "unit_w": "{n} 周",
        "ago": "{span}前",
        "now": "现在",
        "task": "{queue}，{action}，{due_in}内",
        "own": "自身的",
        "borrower": "借款人的",
        "texts_in": "{lang} 文本",
        "measure": "指标 {of}",
        "measure.over": "{of} 的时间窗",
        "measure.ending": "{of} 时间窗的终点",
        "measure.within": "序列 {of} 的时限",
        "measure.select": "{of} 的事件",
        "measure.verb": "{of} 的动词",
        "measure.what": "{of} 的字段",
        "measure.of_borrower": "{of} 读取的事件",
        "measure.across": "{of} 的 across ",
        "escalate": "升级条件 {of}",
        "per": "对象 per ",
        "when": "条件 when ",
        "for": "持续时间 for ",
        "severity": "级别",
        "say": "消息 say ",
        "quiet": "静默期 quiet ",
        "clear_after": "解除时间 clear_after ",
        "inhibited_by": "抑制规则 inhibited_by ",
        "spreads": "传播 spreads ",
        "daily_openings": "每日打开上限",
        "task_of": "任务",
        "since": "起始日 since ",
        "challenges": "所挑战的规则",
        "retired_because": "停用原因",
        "rule": "规则名",
    },
}
LANGUAGES: tuple[Language, ...] = ("en", "zh")


def rule_said(change: RuleChange, lang: Language) -> str:
    """What changed of a rule, after its name."""
    return WORDS[lang]["said"].format(rule=change.rule, what=changed(change, lang))


def changed(change: RuleChange, lang: Language) -> str:
    """What changed of a rule."""
    texts = WORDS[lang]
    if change.before is None or change.after is None:
        there = change.after or change.before
        assert there is not None
        return texts["new" if change.before is None else "gone"].format(status=there.status)
    return changes_said(change.deciding, change.words, lang)


def changes_said(deciding: Iterable[Change], words: Iterable[str], lang: Language) -> str:
    """Fields that decide, then those that do not."""
    texts, parts = WORDS[lang], [change_said(each, lang) for each in deciding]
    if fields := texts["comma"].join(_field(each, lang) for each in words):
        parts.append(texts["words" if parts else "only_words"].format(fields=fields))
    return texts["and"].join(parts)


def change_said(change: Change, lang: Language) -> str:
    """One field that decides.

    >>> change_said(Change(("measure", "missed", "over"), "60d", "45d"), "en")
    'window of missed 60 d to 45 d'
    >>> change_said(Change(("severity",), "medium", "high"), "zh")
    '级别由 中 改为 高'
    """
    texts, (name, *rest) = WORDS[lang], change.path
    if name == "status":
        return texts["status_moved"].format(before=change.before, after=change.after)
    kind = _KINDS[name if len(rest) < 2 else f"{name}.{rest[1]}"]
    label = {"task": "task_of"}.get(name, name) if len(rest) < 2 else f"{name}.{rest[1]}"
    of = "" if not rest else word(rest[0], lang) if name == "escalate" else rest[0]
    what = texts[label].format(of=of)
    form = "moved_code" if kind in (_code, _text) else "moved"
    if rest and len(rest) == 1 and None in (change.before, change.after):
        form = "entry_new" if change.before is None else "entry_gone"
    before, after = (_shown(kind, each, lang) for each in (change.before, change.after))
    return texts[form].format(what=what, before=before, after=after)


# -- values -----------------------------------------------------------------


def _shown(kind: Callable[[Any, Language], str], value: Any, lang: Language) -> str:
    is_none = value is None or value == []
    return kind(value, lang) if not is_none or kind is _ago else WORDS[lang]["nothing"]


def _field(name: str, lang: Language) -> str:
    return WORDS[lang]["texts_in"].format(lang=name) if len(name) == 2 else name


def _plain(value: Any, lang: Language) -> str:
    return str(value)


def _code(value: Any, lang: Language) -> str:
    return f"`{value}`"


def _text(value: Any, lang: Language) -> str:
    return f'"{value}"'


def _word(value: Any, lang: Language) -> str:
    return word(str(value), lang)


def _list(value: Any, lang: Language) -> str:
    return WORDS[lang]["comma"].join(map(str, value))


def _events(value: Any, lang: Language) -> str:
    return WORDS[lang]["comma"].join(f"`{each}`" for each in value)


def _days(value: Any, lang: Language) -> str:
    return WORDS[lang]["unit_d"].format(n=value)


def _span(value: Any, lang: Language) -> str:
    return WORDS[lang][f"unit_{value[-1]}"].format(n=value[:-1])


def _ago(value: Any, lang: Language) -> str:
    texts = WORDS[lang]
    return texts["now"] if value is None else texts["ago"].format(span=_span(value, lang))


def _whose(value: Any, lang: Language) -> str:
    return WORDS[lang]["borrower" if value else "own"]


def _task(value: Any, lang: Language) -> str:
    queue, action, due_in = value
    return WORDS[lang]["task"].format(queue=queue, action=action, due_in=_days(due_in, lang))


def _measure(shape: Any, lang: Language) -> str:
    """A measure as its rule has it.

    >>> _measure({"verb": "count", "what": None, "select": ["repayment.missed"], "over": "60d", "ending": None,
    ...     "within": None, "of_borrower": False, "across": None}, "en")
    '`{count: repayment.missed, over: 60d}`'
    """
    events = ", ".join(shape["select"])
    match shape["verb"]:
        case "count" | "days_since" as verb:
            parts = [f"{verb}: {events}"]
        case "sequence":
            parts = [f"sequence: [{events}]"]
        case "now" | "macro" as verb:
            parts = [f"now: {'macro.' if verb == 'macro' else ''}{shape['what']}"]
        case verb:
            parts = [f"{verb}: {shape['what']}", f"from: {events}"]
    parts += [f"{name}: {shape[name]}" for name in ("over", "within", "across") if shape[name] is not None]
    parts += [f"ending: {shape['ending']} ago"] if shape["ending"] is not None else []
    parts += ["of: borrower"] if shape["of_borrower"] else []
    return _code("{" + ", ".join(parts) + "}", lang)


_KINDS: dict[str, Callable[[Any, Language], str]] = {
    "rule": _plain,
    "since": _plain,
    "challenges": _plain,
    "retired_because": _text,
    "per": _plain,
    "when": _code,
    "for": _days,
    "severity": _word,
    "escalate": _code,
    "say": _text,
    "quiet": _days,
    "clear_after": _days,
    "inhibited_by": _list,
    "spreads": _list,
    "daily_openings": _plain,
    "task": _task,
    "measure": _measure,
    "measure.verb": _plain,
    "measure.what": _plain,
    "measure.select": _events,
    "measure.over": _span,
    "measure.ending": _ago,
    "measure.within": _span,
    "measure.of_borrower": _whose,
    "measure.across": _plain,
}
