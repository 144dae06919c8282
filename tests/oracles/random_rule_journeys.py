"""Random journeys of one borrower: two loans, two accounts, late events, reversals, repeats, days without a feed."""

from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.oracles.rule_journeys import DAY_0, LONG_BEFORE, Figures, Told, told

CLOCKS = ["00:00:00.000", "09:00:00.000", "09:00:00.001", "12:00:00.000", "23:59:59.999"]
LAST_DAY = 12
FEEDS = ["repayment", "account", "external", "outcomes", "model.stress"]
AMOUNTS = [50, 100, 200, 250, 300, 500]
SHARES = [0, 333_333, 500_000, 850_000, 900_000, 1_000_000, 1_005_000]
HISTORIES = [{}, {}, LONG_BEFORE, {"account": DAY_0 + 3}, {"": DAY_0 - 5, "external": DAY_0 + 2}, {"repayment": DAY_0}]
FIGURES: list[Figures] = [{}, {0: {"growth": 850_000}}, {DAY_0 + 4: {"growth": 0}, DAY_0 + 7: {"growth": 2_000_000}}]


class Journey(NamedTuple):
    """What happens to one borrower, and what is known of the feeds."""

    events: list[Told]
    history: dict[str, int]
    missing: dict[int, frozenset[str]]
    figures: Figures
    until: int


def _perhaps(draw: Any, name: str, values: list[Any]) -> dict[str, Any]:
    value = draw(st.sampled_from([None, *values]))
    return {} if value is None else {name: value}


def _fields(draw: Any, kind: str) -> dict[str, Any]:
    """The fields of its own of an event."""
    if kind == "repayment.missed":
        return _perhaps(draw, "months", [1, 2])
    if kind == "repayment.received":
        return {"amount_minor": draw(st.sampled_from(AMOUNTS))} | _perhaps(draw, "kind", ["full", "minimum"])
    if kind == "loan.snapshot":
        return {"days_past_due": draw(st.sampled_from([0, 0, 1, 3]))}
    if kind in ("account.credit", "account.debit"):
        category = _perhaps(draw, "category", ["salary", "rent"])
        balance = _perhaps(draw, "balance_minor", [-100, 0, 250])
        return {"amount_minor": draw(st.sampled_from(AMOUNTS))} | category | balance
    if kind == "account.balance":
        limit, used = _perhaps(draw, "limit_minor", [0, 300]), _perhaps(draw, "used_share_ppm", SHARES)
        return {"balance_minor": draw(st.sampled_from([-100, 0, 100, 250]))} | limit | used
    if kind == "external.score":
        return {"score": draw(st.sampled_from([0, 1, 3]))} | _perhaps(draw, "agency", ["x", "y"])
    if kind == "external.debt":
        return _perhaps(draw, "overdue_minor", [0, 100, 300]) | _perhaps(draw, "lenders", [0, 1, 2])
    if kind == "external.news":
        return _perhaps(draw, "sentiment_ppm", [-500_000, 0, 850_000]) | _perhaps(draw, "topic", ["x", "y"])
    if kind == "contact.attempted":
        loan = _perhaps(draw, "loan_id", ["L1", "L2"])
        return {"channel": draw(st.sampled_from(["call", "letter"]))} | loan | _perhaps(draw, "answered", [True, False])
    return {"score_ppm": draw(st.sampled_from(SHARES[:-1]))}


OF_A_LOAN = ("repayment.missed", "repayment.received", "loan.snapshot")
OF_AN_ACCOUNT = ("account.credit", "account.debit", "account.balance")
OF_THE_BORROWER = ("external.score", "external.debt", "external.news", "contact.attempted", "model.stress")
KINDS = OF_A_LOAN + OF_AN_ACCOUNT + OF_THE_BORROWER


@st.composite
def events(draw: Any, n: int, kinds: tuple[str, ...] = KINDS) -> Told:
    """One event; it may come late, and its business date may differ from the date of its instant."""
    kind = draw(st.sampled_from(kinds))
    day = draw(st.integers(-3, LAST_DAY))
    of_day = draw(st.sampled_from([None] * 8 + [day - 1, day + 1]))
    late = draw(st.sampled_from([0] * 9 + [1, 2, 3, -1, -2]))
    fields = _fields(draw, kind)
    if kind in OF_A_LOAN:
        fields["loan_id"] = draw(st.sampled_from(["L1", "L2"]))
    if kind in OF_AN_ACCOUNT:
        fields["account_id"] = draw(st.sampled_from(["A1", "A2"]))
    # Every second id is used by both sources: an id is unique within its source alone.
    fields |= {"id": f"e{n // 2 * 7 % 10}-{n // 2}", "source": "core" if n % 2 else "bureau"}
    arrives = max(0, (day if of_day is None else of_day) + late)
    return told(kind, day=day, clock=draw(st.sampled_from(CLOCKS)), of_day=of_day, arrives=arrives, **fields)


def first_event(draw: Any, loan: str) -> Told:
    """The event by which a loan comes into being, before anything else."""
    if draw(st.booleans()):
        return told("loan.disbursed", day=-3, clock="00:00:00.000", arrives=0, loan_id=loan, product="p",
                    principal_minor=100_000)  # fmt: skip
    return told("loan.snapshot", day=0, arrives=0, loan_id=loan, days_past_due=draw(st.sampled_from([0, 2])))


@st.composite
def journeys(draw: Any, likely: tuple[str, ...] = (), most: int = 24) -> Journey:
    """A whole journey, made mostly of events of likely types."""
    count = draw(st.integers(most // 4, most))
    kinds = (likely * (2 * len(KINDS)))[: 2 * len(KINDS)] + KINDS
    found = [draw(events(n, kinds)) for n in range(count)]
    found = sorted(found, key=lambda each: each.arrives)
    found = _with_reversals(draw, found)
    if draw(st.integers(0, 4)) == 0:
        found = _with_an_end(draw, found)
    found = _with_repeats(draw, found) if found else found
    missing: dict[int, frozenset[str]] = {}
    for _ in range(draw(st.sampled_from([0, 0, 1, 3]))):
        day = draw(st.integers(0, LAST_DAY))
        missing[day] = missing.get(day, frozenset()) | {draw(st.sampled_from(FEEDS))}
    return Journey(
        events=[first_event(draw, "L1"), first_event(draw, "L2"), *found],
        history=dict(draw(st.sampled_from(HISTORIES))),
        missing=missing,
        figures=draw(st.sampled_from(FIGURES)),
        until=LAST_DAY + 6,
    )


def _with_reversals(draw: Any, found: list[Told]) -> list[Told]:
    """Some payments are taken back, later the same day or days after."""
    paid = [each for each in found if each.fields["type"] == "repayment.received"]
    taken = draw(st.lists(st.sampled_from(paid), unique_by=lambda each: id(each), max_size=2)) if paid else []
    for n, each in enumerate(taken):
        day = each.day + draw(st.integers(-1, 3))
        back = told(
            "repayment.reversed",
            day=day,
            arrives=max(0, each.arrives + draw(st.integers(-2, 3))),
            clock=draw(st.sampled_from(CLOCKS)),
            id=f"back-{n}",
            source=each.fields["source"],
            loan_id=each.fields["loan_id"],
            reverses=each.fields["id"],
        )
        found = _placed(found, back)
    return found


def _with_repeats(draw: Any, found: list[Told]) -> list[Told]:
    """Some events come twice."""
    for each in draw(st.lists(st.sampled_from(found), max_size=2)):
        found = _placed(found, each._replace(arrives=each.arrives + draw(st.integers(0, 3))))
    return found


def _with_an_end(draw: Any, found: list[Told]) -> list[Told]:
    """The second loan comes to its end; snapshots of it stop, whenever they were to come."""
    day = draw(st.integers(2, LAST_DAY))
    end = told(draw(st.sampled_from(["loan.closed", "loan.written_off"])), day=day, clock="12:00:00.000", loan_id="L2")
    kept = [each for each in found if (each.fields["type"], each.fields.get("loan_id")) != ("loan.snapshot", "L2")]
    return _placed(kept, end)


def _placed(found: list[Told], later: Told) -> list[Told]:
    """An event among others, after all that arrive on its day."""
    return sorted([*found, later], key=lambda each: each.arrives)
