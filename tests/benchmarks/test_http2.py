"""The measuring of HTTP/2: what is counted and compared. Never how fast it is."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.http2 import Run, summary, table

RUN = Run(
    client="aiohttp",
    concurrency=500,
    latency_s=0.05,
    requests=2000,
    right=2000,
    cold_cpu_s=0.5,
    full_after_s=1.0,
    cpu_s=0.4,
    wall_s=1.0,
    in_flight=500,
    connections=500,
    server_cold_cpu_s=0.25,
    server_cpu_s=0.1,
    memory_mb=100.0,
    failed=0,
    paid=0,
    errors={},
)


def test_figures_are_medians_of_1000_requests_and_ratios_are_to_the_first_client() -> None:
    runs = [RUN, replace(RUN, client="h2", cpu_s=0.8)]
    runs += [replace(each, cpu_s=9.0, cold_cpu_s=9.0, wall_s=9.0) for each in runs]
    runs += [replace(each, cpu_s=each.cpu_s) for each in runs[:2]]
    first, second = summary(runs)
    assert (first.client, first.runs, first.cold_cpu_s, first.cpu_s, first.requests_per_s) == (
        "aiohttp",
        3,
        1.0,
        0.2,
        2000.0,
    )
    assert (first.cpu_of_first, second.cpu_of_first) == (1.0, 2.0)


def test_a_client_that_did_not_have_all_in_flight_each_time_was_never_full() -> None:
    (row,) = summary([RUN, replace(RUN, full_after_s=None)])
    assert row.full_after_s is None
    assert "          - " in table([row])[2]


def test_a_missing_answer_is_said() -> None:
    assert table(summary([RUN, replace(RUN, right=1999)]))[2].endswith("incomplete")
    assert not table(summary([RUN]))[2].endswith("incomplete")
