"""Figures for Prometheus: true of what is on the disk, also after a restart."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.reading import LINES, Engine, after_two_months, get, stored

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with after_two_months(tmp_path_factory.mktemp("metrics")) as started:
        yield started


def scraped(engine: Engine) -> Samples:
    answer = get(engine, "/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def labelled(samples: Samples, name: str, *labels: str) -> dict[tuple[str, ...], float]:
    return {tuple(dict(own)[label] for label in labels): value for (n, own), value in samples.items() if n == name}


def lines(engine: Engine, name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in engine.export()[name].splitlines()]


def test_what_was_decided_is_counted_as_the_export_has_it(engine):
    samples = scraped(engine)
    alerts = Counter((a["rule"], a["severity"], a["transition"]) for a in lines(engine, "alerts.jsonl"))
    assert labelled(samples, "forewarn_alerts_total", "rule", "severity", "transition") == alerts
    tasks = Counter((t["queue"], t["status"]) for t in lines(engine, "collection-tasks.jsonl"))
    assert labelled(samples, "forewarn_collection_tasks_total", "queue", "status") == tasks
    letters = Counter((d["reason"],) for d in lines(engine, "dead-letters.jsonl"))
    assert labelled(samples, "forewarn_dead_letters_total", "reason") == letters


def test_every_line_is_accepted_or_refused_or_repeated(engine):
    samples = scraped(engine)
    accepted = labelled(samples, "forewarn_events_accepted_total", "type")
    refused = labelled(samples, "forewarn_events_refused_total", "reason")
    assert sum(accepted.values()) + sum(refused.values()) == len(LINES)
    assert accepted["account.debit",] == sum(b'"account.debit"' in raw and b'"A0"' not in raw for raw in LINES)
    again = {"Idempotency-Key": "once"}
    for _ in range(2):
        engine.post(LINES[0], **again)
    after = scraped(engine)
    key = ("forewarn_events_repeated_total", ())
    assert (samples[key], after[key]) == (0, 1)
    engine.post(b'{"type": "day.ended", "date": "2025-01-01"}', {"Authorization": "Bearer sends"})
    assert labelled(scraped(engine), "forewarn_events_refused_total", "reason")["forbidden",] == 1


def test_the_state_of_the_engine_is_told(engine):
    samples = {name: value for (name, labels), value in scraped(engine).items() if not labels}
    assert samples["forewarn_borrowers_known"] == 12 and 1 <= samples["forewarn_borrowers_held"] <= 25
    assert samples["forewarn_lines_waiting"] == 0 and samples["forewarn_database_bytes"] > 100_000
    days = [datetime.fromtimestamp(samples[f"forewarn_{d}_day_timestamp_seconds"], UTC) for d in ("closed", "open")]
    assert [day.date().isoformat() for day in days] == ["2025-03-01", "2025-03-02"]
    assert samples["forewarn_batch_seconds_count"] >= 3 and samples["forewarn_batch_seconds_sum"] > 0
    [(version, shelf)] = labelled(scraped(engine), "forewarn_build_info", "version", "shelf")
    assert version and len(shelf) == 64


def test_what_is_on_the_disk_is_told_the_same_after_a_restart(engine):
    def kept() -> Samples:
        passing = ("forewarn_batch", "forewarn_borrowers_held", "forewarn_database_bytes", "forewarn_lines_waiting")
        return {key: value for key, value in scraped(engine).items() if not key[0].startswith(passing)}

    before = kept()
    engine.end(signal.SIGKILL)
    engine.start()
    assert kept() == before and len(before) > 50


def test_a_scrape_of_an_engine_that_has_seen_nothing_is_no_fault(tmp_path):
    from tests.arrival_logs import COUNTS_MISSES, shelf
    from tests.engine_process import running

    with running(tmp_path, shelf(tmp_path / "rules", misses=COUNTS_MISSES)) as engine:
        samples = scraped(engine)
        assert samples["forewarn_borrowers_known", ()] == 0
        assert ("forewarn_open_day_timestamp_seconds", ()) not in samples
        assert stored(engine, "select count(*) from tallies") == [(0,)]
        for path in ("/v1/alerts", "/v1/collection-tasks", "/v1/dead-letters"):
            assert get(engine, path).json() == {"items": [], "next": None}
