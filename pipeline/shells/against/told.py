"""Everything that `forewarn backtest --against` writes of the comparison."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.shells.against.compare import Asked, Compared, Days, Seen, Side, compared, seen, together
from pipeline.shells.against.ref import Referred
from pipeline.shells.against.wording import LANGUAGES, changed
from pipeline.shells.backtest.judging import Asking, Backtest, settled, tasks_of
from pipeline.shells.backtest.part import Part
from rules.changes import Change, RuleChange, Texted, shelf_changes


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One deciding field that changed, in the spelling that the hash is over."""

    path: str
    before: Any
    after: Any


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is not the same."""

    rule: str
    kind: str  # new, gone, changed, or words where nothing that decides changed
    fields: tuple[Field, ...]
    words: tuple[str, ...]
    says: dict[str, str]  # by language


class Against(msgspec.Struct, frozen=True, kw_only=True):
    """Two shelves over the same events; before is what the name stands for, after what stands now."""

    ref: str
    ref_kind: str
    shelf_before: str
    shelf_after: str
    changes: tuple[Changed, ...]
    shelf: Compared
    by_rule: tuple[Compared, ...]  # rules that decide otherwise, or say otherwise
    same: tuple[str, ...]  # all others that decide


def against_of(
    ref: Referred, now: Texted, parts: tuple[Part, Part], asking: Asking, before: Mapping[str, str]
) -> Against:
    """Compare what both shelves decided, by the truth and over the days of the backtest; `before` are statuses then."""
    changes = shelf_changes(ref.rules, now)
    one, other = seen_both(parts, (before, asking.rules), asking)
    asked = [_rule(name, one, other) for name in sorted({*before, *asking.rules})]
    decides_otherwise = {each.rule for each in changes if each.deciding or None in (each.before, each.after)}
    told = [each for each in asked if each.of in decides_otherwise or not each.is_same]
    names = {each.of for each in told}
    shelf = Asked(None, None, None, (one.shelf(), other.shelf()))
    overall, *by_rule = compared([shelf, *told], one.judged, other.judged)
    return Against(
        ref=ref.name,
        ref_kind=ref.kind,
        shelf_before=ref.rules.shelf.hash,
        shelf_after=now.shelf.hash,
        changes=tuple(map(changed_of, changes)),
        shelf=overall,
        by_rule=tuple(by_rule),
        same=tuple(each.of for each in asked if each.of is not None and each.of not in names),
    )


def seen_both(
    parts: tuple[Part, Part], statuses: tuple[Mapping[str, str], Mapping[str, str]], asking: Asking
) -> tuple[Seen, Seen]:
    """Both sides over the judged days, the borrowers of both and the truth of the one that stands now."""
    now = settled(parts[1], asking)
    profiles = together(*(part.profiles for part in parts))
    days = Days(now.summary, profiles, None if asking.truth is None else now.truth)
    one, other = (
        seen(Side.of(part, of), tasks_of(part, now.span, is_cut=asking.span.until is not None), days)
        for part, of in zip(parts, statuses, strict=True)
    )
    return one, other


def _rule(name: str, one: Seen, other: Seen) -> Asked:
    """A rule that tells on either side counts where it tells; one that tells on neither by what it would say."""
    before, after = (each.side.statuses.get(name) for each in (one, other))
    only_live = "live" in (before, after)
    return Asked(name, before, after, (one.rule(name, only_live=only_live), other.rule(name, only_live=only_live)))


def changed_of(change: RuleChange) -> Changed:
    """A changed rule as it is written."""
    kinds = {"new": change.before is None, "gone": change.after is None, "changed": bool(change.deciding)}
    return Changed(
        rule=change.rule,
        kind=next((kind for kind, holds in kinds.items() if holds), "words"),
        fields=fields_of(change.deciding),
        words=change.words,
        says={lang: changed(change, lang) for lang in LANGUAGES},
    )


def fields_of(changes: tuple[Change, ...]) -> tuple[Field, ...]:
    """Deciding fields as they are written."""
    return tuple(Field(path=".".join(each.path), before=each.before, after=each.after) for each in changes)


class BacktestAgainst(Backtest, frozen=True, kw_only=True):
    """A backtest of the shelf that stands now, with what it does otherwise than another one."""

    against: Against
