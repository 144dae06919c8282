"""A challenger beside its rule over the same days: one pass of the engine has judged both.

A rule in shadow gives no task, so the work is told in alerts alone.
"""

from collections.abc import Iterable
from datetime import date

import msgspec

from pipeline.shells.against.compare import Asked, Compared, Days, Side, compared, seen
from pipeline.shells.against.paired import OF_WORK
from pipeline.shells.against.told import Field, fields_of
from pipeline.shells.against.wording import LANGUAGES, WORDS, changes_said
from pipeline.shells.decided import AlertLine
from rules.changes import Change, changed_words, rule_changes
from rules.rule import Rule

OF_ITSELF = ("rule", "challenges", "status", "since")  # fields in which a challenger is never its rule
_, TASKS = OF_WORK


class ChallengeError(Exception):
    """Challengers that cannot be compared, in one sentence."""


class Duel(msgspec.Struct, frozen=True, kw_only=True):
    """What a challenger does otherwise than its rule; before is the rule, after the challenger."""

    rule: str
    challenges: str
    challenges_status: str
    status: str
    since: str  # as its file says
    days: int | None  # in shadow by the last day; None: it is a draft
    first_said: date | None  # its first alert that the record, or the pass over the events, holds
    first_day: date  # of those that are compared
    as_of: date
    fields: tuple[Field, ...]
    words: tuple[str, ...]
    says: dict[str, str]  # by language
    compared: Compared


class Duels(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `forewarn rules challengers` writes."""

    source: str  # record: what was said; events: what would have been said
    truth: str  # name of the file, or "events"
    challengers: tuple[Duel, ...]


def pairs(rules: Iterable[Rule], named: str | None) -> list[tuple[Rule, Rule]]:
    """Every rule with its challenger, or those of one name; ChallengeError where there is none."""
    known = {each.rule: each for each in rules if each.status != "retired"}
    found = [each for _, each in sorted(known.items()) if each.challenges is not None]
    if named is not None:
        found = [each for each in found if named in (each.rule, each.challenges)]
    if not found:
        what = "a challenger" if named is None else f"a challenger, or a rule that has one, named {named!r}"
        raise ChallengeError(
            f"expected {what} (RULE.next with `challenges: RULE`), got none that decides; "
            "forewarn rules new RULE.next makes one"
        )
    for each in found:
        if each.challenges not in known:
            raise ChallengeError(
                f"{each.rule}: expected its rule {each.challenges!r} to decide, got none; bring it back"
            )
    return [(known[each.challenges or ""], each) for each in found]


def duel(rule: Rule, challenger: Rule, side: Side, days: Days) -> Duel:
    """Compare a challenger with its rule."""
    known = seen(side, [], days)
    voices = (known.rule(rule.rule, only_live=False), known.rule(challenger.rule, only_live=False))
    asked = Asked(challenger.rule, challenger.status, challenger.status, voices)
    [found] = compared([asked], known.judged, known.judged)
    figures = {name: each for name, each in found.figures.items() if name != TASKS}
    deciding = rule_changes(rule, challenger, but=OF_ITSELF)
    words = changed_words(rule, challenger)
    decided = known.judged.decided
    is_draft = challenger.status == "draft"
    return Duel(
        rule=challenger.rule,
        challenges=rule.rule,
        challenges_status=rule.status,
        status=challenger.status,
        since=challenger.since,
        days=None if is_draft else max(0, (decided.last - date.fromisoformat(challenger.since)).days),
        first_said=min(_openings(side.candidates, challenger.rule), default=None),
        first_day=decided.first,
        as_of=decided.last,
        fields=fields_of(deciding),
        words=words,
        says=_says(deciding, words),
        compared=msgspec.structs.replace(found, figures=figures),
    )


def _says(deciding: tuple[Change, ...], words: tuple[str, ...]) -> dict[str, str]:
    return {lang: changes_said(deciding, words, lang) or WORDS[lang]["nothing_differs"] for lang in LANGUAGES}


def _openings(lines: Iterable[AlertLine], rule: str) -> list[date]:
    return [each.business_date for each in lines if each.rule == rule and each.transition == "opened"]
