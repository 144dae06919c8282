"""A borrower explained on the screen: what every rule says, and what would change it."""

from collections.abc import Sequence

from rich.table import Table

from pipeline.events import digits
from pipeline.profiles import profile_of
from pipeline.shelf import CompiledShelf
from pipeline.shells.explain import opposite, shown
from pipeline.shells.foresight.as_of import Closed
from pipeline.shells.foresight.texts import TEXTS
from pipeline.shells.foresight.verdicts import AHEAD_DAYS, Change, Part, Payment, Verdict
from pipeline.shells.show import console
from pipeline.shells.texts import Language, word
from pipeline.zone import date_text
from rules.condition_text import condition_text
from rules.conditions import names_in
from rules.rule import And, Or

MARKS = {True: "+", False: "-", None: "?"}


def foreseen(shelf: CompiledShelf, closed: Closed, found: Sequence[Verdict], lang: Language) -> None:
    """Print it: open alerts first, then what would open, then every other rule in a line."""
    texts, out = TEXTS[lang], console()
    is_open = [each for each in found if each.severity is not None]
    near = [each for each in found if each.severity is None and each.ahead and each.ahead.transition == "opened"]
    near.sort(key=lambda each: each.ahead.on if each.ahead else 0)
    title = texts["title"].format(
        borrower=closed.memory.borrower_id,
        date=date_text(closed.day.date),
        open=len(is_open),
        near=len(near),
        days=AHEAD_DAYS,
    )
    out.print(f"[bold]{title}[/]", highlight=False)
    out.print(_loans(shelf, closed, lang))
    for name, some in (("alerts", is_open), ("near", near)):
        out.print(f"[bold]{texts[name]}[/]")
        for each in some:
            for line in _lines(each, lang):
                out.print(line, markup=False, highlight=False)
        if not some:
            out.print(f"  {texts['no_rules']}")
    rest = [each for each in found if each not in is_open and each not in near]
    if rest:
        out.print(_rest(sorted(rest, key=lambda each: (True, False, None).index(each.truth)), lang))


def _loans(shelf: CompiledShelf, closed: Closed, lang: Language) -> Table:
    texts = TEXTS[lang]
    table = Table(title=texts["loans"], title_justify="left")
    for column in ("loan", "outstanding", "arrears", "days_past_due"):
        table.add_column(texts[column], justify="left" if column == "loan" else "right")
    for loan in profile_of(shelf, closed.day, closed.memory)["loans"]:
        amounts = [_money(loan[f"{name}_minor"], loan["currency"], lang) for name in ("outstanding", "arrears")]
        table.add_row(loan["loan_id"], *amounts, shown(loan["days_past_due"], lang))
    return table


def _money(minor: int | None, currency: str, lang: Language) -> str:
    if minor is None:
        return shown(None, lang)
    places = digits(currency)
    return f"{minor / 10**places:,.{places}f} {currency}"


def _lines(verdict: Verdict, lang: Language) -> list[str]:
    """An alert that is open or will be: what it is, the parts of its condition, and what is ahead."""
    texts, rule = TEXTS[lang], verdict.judged.rule
    severity = f" · {word(verdict.severity, lang)}" if verdict.severity else ""
    shadow = f" · {texts['also']}" if rule.status == "shadow" else ""
    lines = [f"  {rule.rule} · {verdict.key}{severity}{shadow}"]
    lines += [f"    {MARKS[part.truth]} {_part(part, verdict, lang)}" for part in verdict.parts]
    lines += [f"    {each}" for each in _ahead(verdict, lang)]
    return lines


def _part(part: Part, verdict: Verdict, lang: Language) -> str:
    texts = TEXTS[lang]
    truth = texts["unknown"] if part.truth is None else texts["holds" if part.truth else "fails"]
    names = dict.fromkeys(names_in(part.condition))
    today = ", ".join(
        f"{name} = {shown(verdict.evidence[name]['value'], lang)}" for name in names if name in verdict.evidence
    )
    is_wanted = part.truth and verdict.severity and verdict.truth is not False
    clears = f" -> {condition_text(opposite(part.condition))}" if is_wanted else ""
    return f"{condition_text(part.condition)} ({today}): {truth}{clears}"


def _ahead(verdict: Verdict, lang: Language) -> list[str]:
    is_over = verdict.severity is not None and verdict.truth is False
    found = [_closing(verdict.closes, lang)] if is_over else []
    if verdict.ahead and not (is_over and verdict.ahead.transition == "closed"):
        found.append(_change(verdict.ahead, lang))
    if verdict.payment is not None:
        found.append(_payment(verdict.payment, lang, is_open=verdict.severity is not None))
    return found


def _closing(closes: int | None, lang: Language) -> str:
    """Of an open alert that is false already."""
    if closes is None:
        return TEXTS[lang]["stays_open"].format(days=AHEAD_DAYS)
    return TEXTS[lang]["false_already"].format(date=date_text(closes))


def _change(change: Change, lang: Language) -> str:
    severity = word(change.severity, lang)
    return TEXTS[lang][change.transition].format(date=date_text(change.on), severity=severity)


def _payment(payment: Payment, lang: Language, *, is_open: bool) -> str:
    texts, n = TEXTS[lang], payment.instalments
    return texts["pays_open" if is_open else "pays_near"].format(
        instalments=f"{n} {texts['instalment' if n == 1 else 'instalments']}",
        amount=_money(payment.amount_minor, payment.currency, lang),
        loan=payment.loan_id,
        date=date_text(payment.by),
    )


def _rest(some: Sequence[Verdict], lang: Language) -> Table:
    texts = TEXTS[lang]
    table = Table(title=texts["silent"], title_justify="left")
    for column in ("rule", "key", "says", "numbers"):
        table.add_column(texts[column], overflow="fold")
    for each in some:
        truth = texts["unknown"] if each.truth is None else texts["true" if each.truth else "false"]
        joined = {And: " and ", Or: " or "}.get(type(each.judged.rule.when), "")
        parts = joined.join(f"{MARKS[part.truth]} {condition_text(part.condition)}" for part in each.parts)
        values = ", ".join(f"{name} = {shown(entry['value'], lang)}" for name, entry in each.evidence.items())
        ahead = "; ".join(_ahead(each, lang))
        table.add_row(each.judged.rule.rule, each.key, truth, f"{parts}\n{values}" + (f"\n{ahead}" if ahead else ""))
    return table
