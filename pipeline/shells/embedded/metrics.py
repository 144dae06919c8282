"""Figures of a running engine for Prometheus.

What is on the disk is told from the disk, where each figure is a row, so that a restart changes none and a scrape
counts nothing. What only the process knows begins with it.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.shells.embedded.access import Check
from pipeline.shells.embedded.problems import declared
from pipeline.shells.embedded.reader import Reader, tallies
from pipeline.shells.embedded.records import Tallied
from pipeline.shells.embedded.runtime import Runtime
from pipeline.shells.embedded.services import Service
from pipeline.shells.embedded.standing import Standing, standing_in
from pipeline.shells.embedded.store import FILE
from pipeline.shells.embedded.worker import Worker
from pipeline.zone import DAY_MS

BATCH_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
ERRORS = (401, 403, 500)
_DAY_SECONDS = DAY_MS // 1000
# Kind of a tally -> name and words of its counter, and the columns that are labels of it.
_COUNTERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "alert": (
        "forewarn_alerts",
        "Alerts by rule, severity and transition.",
        {"rule": "rule", "severity": "severity", "transition": "detail"},
    ),
    "shadow": (
        "forewarn_shadow_alerts",
        "What rules in shadow would have said.",
        {"rule": "rule", "severity": "severity", "transition": "detail"},
    ),
    "task": (
        "forewarn_collection_tasks",
        "Revisions of collection tasks by queue and status.",
        {"queue": "queue", "status": "detail"},
    ),
    "dead_letter": ("forewarn_dead_letters", "Records that could not be used, by reason.", {"reason": "detail"}),
    "warning": (
        "forewarn_warnings",
        "Warnings to connected borrowers, by rule and severity.",
        {"rule": "rule", "severity": "severity"},
    ),
    "disagreement": ("forewarn_disagreements", "Snapshots that differ from the ledger, by field.", {"field": "detail"}),
}
_OUTCOMES: tuple[tuple[str, str, str | None], ...] = (
    ("forewarn_events_accepted", "Events that were taken in, by type.", "type"),
    ("forewarn_events_refused", "Lines that were refused when they came, by reason.", "reason"),
    ("forewarn_events_repeated", "Lines of a request that had been taken in before.", None),
)


def metrics_route(
    worker: Worker, runtime: Runtime, reader: Reader, services: Sequence[Service], may_read: Check
) -> APIRouter:
    """The route that Prometheus scrapes.

    It wants scope read: rules, queues and how many borrowers get worse are nobody's business, and Prometheus can send
    a key (`authorization.credentials_file`).
    """
    registry = CollectorRegistry()
    registry.register(_Engine(worker, runtime, reader, services))
    seconds = Histogram(
        "forewarn_batch_seconds", "Time of a batch until it is on the disk.", buckets=BATCH_BOUNDS, registry=registry
    )
    worker.after_batch.append(seconds.observe)
    router = APIRouter(dependencies=[Depends(may_read)])
    answer = {
        "description": "Figures in the text format of Prometheus.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }

    def metrics() -> Response:
        """Figures for Prometheus; scope read."""
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    router.add_api_route(
        "/metrics",
        metrics,
        methods=["GET"],
        summary="Figures for Prometheus",
        responses=declared({200: answer}, *ERRORS),
        response_class=Response,
        tags=["health"],
    )
    router.add_api_route("/metrics", metrics, methods=["HEAD"], include_in_schema=False)
    return router


class _Engine(Collector):
    """The figures of an engine, read when they are asked for."""

    def __init__(self, worker: Worker, runtime: Runtime, reader: Reader, services: Sequence[Service]) -> None:
        self._worker, self._runtime, self._reader, self._services = worker, runtime, reader, services

    def describe(self) -> Iterator[Metric]:
        """Nothing: what is told depends on what is there."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every figure."""
        with self._reader.snapshot() as database:
            counts, standing = tallies(database), standing_in(database)
        yield from _decided(counts)
        yield from _taken(counts)
        yield from _days(standing)
        folder = self._runtime.store.folder
        borrowers = sum(number for key, number in counts.items() if key.kind == "borrower")
        yield _gauge("forewarn_borrowers_known", "Borrowers of whom an event came.", borrowers)
        yield _gauge("forewarn_borrowers_held", "Borrowers in memory.", self._runtime.borrowers.held)
        yield _gauge("forewarn_borrowers_quarantined", "Borrowers that are set aside.", self._worker.quarantined)
        yield _gauge("forewarn_intake_stopped", "1 while no event is taken in.", int(self._worker.trouble is not None))
        yield _troubled(self._services)
        yield _gauge("forewarn_lines_waiting", "Lines that wait to be worked on.", self._worker.waiting)
        yield _gauge("forewarn_database_bytes", "Bytes of the database and its journal.", _bytes(folder / FILE))
        build = GaugeMetricFamily("forewarn_build_info", "What runs: release and rules.", labels=("version", "shelf"))
        build.add_metric((version("forewarn"), self._runtime.shelf.hash), 1)
        yield build


def _decided(counts: dict[Tallied, int]) -> Iterator[Metric]:
    for kind, (name, words, labels) in _COUNTERS.items():
        family = CounterMetricFamily(name, words, labels=tuple(labels))
        for key, number in sorted(counts.items()):
            if key.kind == kind:
                family.add_metric([getattr(key, column) for column in labels.values()], number)
        yield family


def _taken(counts: dict[Tallied, int]) -> Iterator[Metric]:
    found: dict[str, Counter[str]] = {name: Counter() for name, *_ in _OUTCOMES}
    for key, number in counts.items():
        if key.kind == "arrival":
            outcome = key.detail if key.detail in ("accepted", "repeated") else "refused"
            found[f"forewarn_events_{outcome}"][key.rule if outcome == "accepted" else key.detail] += number
    for name, words, label in _OUTCOMES:
        family = CounterMetricFamily(name, words, labels=None if label is None else (label,))
        for value, number in sorted(found[name].items()):
            family.add_metric(() if label is None else (value,), number)
        if label is None and not found[name]:
            family.add_metric((), 0)
        yield family


def _days(standing: Standing) -> Iterator[Metric]:
    for name, words, day in (
        ("forewarn_open_day_timestamp_seconds", "The open business day, as midnight UTC of its date.", standing.day),
        ("forewarn_closed_day_timestamp_seconds", "The last closed one, as midnight UTC of its date.", standing.closed),
    ):
        if day is not None:
            yield _gauge(name, words, day.date * _DAY_SECONDS)


def _troubled(services: Sequence[Service]) -> Metric:
    words = "1 while the inbox, the end of days, the webhooks or the engine cannot do its work; /readyz says why."
    family = GaugeMetricFamily("forewarn_service_troubled", words, labels=("service",))
    for each in services:
        family.add_metric((each.name,), int(each.trouble is not None))
    return family


def _gauge(name: str, words: str, value: int) -> Metric:
    return GaugeMetricFamily(name, words, value)


def _bytes(file: Path) -> int:
    total = 0
    for each in (file, file.with_name(f"{file.name}-wal")):
        try:
            total += os.stat(each).st_size
        except FileNotFoundError:
            continue
    return total
