"""Challengers on the screen."""

from pipeline.shells.against.show import moved_table, who
from pipeline.shells.challengers.duel import Duel, Duels
from pipeline.shells.challengers.texts import WORDS
from pipeline.shells.show import console
from pipeline.shells.texts import TEXTS, Language, counted


def tables(duels: Duels, lang: Language) -> None:
    """Print each challenger: how long it has been tried, what differs, who is alerted otherwise, what moves."""
    out, words = console(), WORDS[lang]
    first, last = min(each.first_day for each in duels.challengers), duels.challengers[0].as_of
    truth = words["truth_events"] if duels.truth == "events" else duels.truth
    out.print(words[duels.source].format(first=first, last=last, truth=truth), markup=False, soft_wrap=True)
    out.print(who([each.compared for each in duels.challengers], words["who"], lang))
    for each in duels.challengers:
        for line in _lines(each, lang):
            out.print(line, markup=False, soft_wrap=True, highlight=False)
        out.print(moved_table(each.compared, words["differences"], lang))
    out.print(words["reading"], style="dim")


def _lines(duel: Duel, lang: Language) -> list[str]:
    words = WORDS[lang]
    said = words["nothing_said"] if duel.first_said is None else words["first_said"].format(date=duel.first_said)
    tried = (
        words["draft"]
        if duel.days is None
        else words["in_shadow"].format(since=duel.since, days=counted(duel.days, "day", lang), said=said)
    )
    title = words["title"].format(rule=duel.rule, challenges=duel.challenges, status=duel.challenges_status)
    days = words["days"].format(first=duel.first_day, last=duel.as_of)
    return [f"{title}{TEXTS[lang]['colon']}{tried}", f"  {days}", f"  {duel.says[lang]}"]
