"""A shelf of rules compiled against the catalogue and a bank's terms: what the engine runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import xxhash

from pipeline.events import CATALOGUE, digits
from pipeline.judge import Bench, Judged, bench_of
from pipeline.ledger_meters import Setting
from pipeline.look import Look
from pipeline.memory import Memory
from pipeline.money import converted
from pipeline.standing import Part, Terms
from pipeline.zone import Zone
from rules.catalogue import Field
from rules.rule import Per, Rule, Shelf

PERS: tuple[Per, ...] = ("borrower_id", "loan_id", "account_id")
PPM = 1_000_000


@dataclass(frozen=True)
class BankTerms:
    """What of a bank's settings the core needs; amounts in minor units of the reporting currency."""

    zone: Zone
    reporting_currency: str
    due_by: Callable[[int, int], str]  # business date, days to do it in -> RFC 3339
    allocation: tuple[Part, ...] = ("fee", "interest", "principal")
    history: dict[str, int] = field(default_factory=dict)  # feed ("": every other) -> first known date
    missed_from: dict[str, str] = field(default_factory=dict)  # product ("": every other) -> both, core, engine
    retail_limit_minor: int = 10_000
    other_limit_minor: int = 50_000
    exposure_limit_ppm: int = 10_000
    buckets: tuple[int, ...] = (0, 30, 60, 90)  # upper bounds of days past due


class CompiledShelf(NamedTuple):
    """Everything that decides."""

    hash: str
    terms: BankTerms
    setting: Setting
    rules: dict[str, Rule]  # live and shadow
    order: dict[str, int]  # rule -> place: inhibitors first, then by name
    benches: tuple[Bench, ...]
    marks: dict[str, tuple[int, int]]  # rule -> its hash and shape, 64 bits of each
    read_types: frozenset[str]  # types of events that any rule reads
    judged: dict[str, tuple[int, Judged]]  # rule -> its bench, and itself compiled
    spreads: dict[str, frozenset[str]]  # rule -> kinds of ties along which its openings warn others


def compile_shelf(shelf: Shelf, terms: BankTerms) -> CompiledShelf:
    """Compile all live and shadow rules; drafts and retired ones decide nothing."""
    setting = setting_of(terms)
    deciding = {rule.rule: rule for rule in shelf.rules if rule.status in ("live", "shadow")}
    order = {name: i for i, name in enumerate(in_topological_order(deciding))}
    ordered = sorted(deciding.values(), key=lambda rule: order[rule.rule])
    benches = tuple(bench_of(per, [rule for rule in ordered if rule.per == per], setting) for per in PERS)
    judged = {each.rule.rule: (i, each) for i, bench in enumerate(benches) for each in bench.judged}
    marks = {name: (_mark(rule.hash), _mark(rule.shape)) for name, rule in deciding.items()}
    read_types = frozenset(event for bench in benches for event in bench.reading)
    spreads = {name: frozenset(rule.spreads) for name, rule in deciding.items() if rule.spreads and not rule.is_warned}
    return CompiledShelf(shelf.hash, terms, setting, deciding, order, benches, marks, read_types, judged, spreads)


def _mark(text: str) -> int:
    """64 bits of a hash: enough to see that a rule changed."""
    return xxhash.xxh3_64_intdigest(text.encode()) >> 1


def setting_of(terms: BankTerms) -> Setting:
    """How measures read this bank's events and ledger."""
    scales: dict[str, int] = {"amount": int(10 ** digits(terms.reporting_currency)), "share": PPM}

    def scale(field: Field) -> int:
        return scales.get(field.unit, 1)

    def ledger_terms(memory: Memory) -> Terms:
        return Terms(terms.allocation, memory.codes.get("early", -1))

    def in_reporting(amount: int, currency: str, look: Look) -> int | None:
        return converted(amount, currency, terms.reporting_currency, look.day.rates, terms.reporting_currency)

    def limits(segment: str) -> tuple[int, int]:
        absolute = terms.other_limit_minor if segment == "corporate" else terms.retail_limit_minor
        return absolute, terms.exposure_limit_ppm

    return Setting(CATALOGUE, scale, ledger_terms, in_reporting, limits)


def in_topological_order(rules: dict[str, Rule]) -> list[str]:
    """Names with inhibitors before those they mute, else by name; the loader refuses cycles."""
    placed: dict[str, None] = {}

    def place(name: str, above: frozenset[str]) -> None:
        if name in placed or name in above or name not in rules:
            return
        for inhibitor in sorted(rules[name].inhibited_by):
            place(inhibitor, above | {name})
        placed[name] = None

    for name in sorted(rules):
        place(name, frozenset())
    return list(placed)
