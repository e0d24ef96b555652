"""The measuring of the teacher's client: what is counted and compared. Never how fast it is."""

from __future__ import annotations

import json

from benchmarks.teacher_client import Measured, summary, table
from benchmarks.teacher_client_common import body_of, prompts
from benchmarks.teacher_client_endpoint import complete_requests, replies
from benchmarks.teacher_memory import Line, growth
from hypothesis import given
from hypothesis import strategies as st


def request(body: bytes) -> bytes:
    return b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\ncontent-length: %d\r\n\r\n" % len(body) + body


@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(1, 60))
def test_requests_are_found_whole_however_they_arrive(bodies: list[bytes], block: int) -> None:
    stream, buffer = b"".join(map(request, bodies)), bytearray()
    found: list[bytes] = []
    for start in range(0, len(stream), block):
        buffer += stream[start : start + block]
        found += complete_requests(buffer)
    assert not buffer
    assert [each.partition(b"\n") for each in found] == [
        (b"POST /v1/chat/completions HTTP/1.1", b"\n", body) for body in bodies
    ]


def test_a_request_without_a_body_is_whole_at_its_empty_line() -> None:
    buffer = bytearray(b"GET /stats HTTP/1.1\r\nHost: a\r\n\r\nGET /st")
    assert complete_requests(buffer) == [b"GET /stats HTTP/1.1\n"]
    assert buffer == b"GET /st"


def test_replies_are_as_long_as_asked_for_and_have_usage() -> None:
    for whole in replies(2000):
        head, _, body = whole.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        answer = json.loads(body)
        assert len(answer["choices"][0]["message"]["content"]) == 2000
        assert answer["usage"] == {"prompt_tokens": 60, "completion_tokens": 500, "total_tokens": 560}


def test_every_question_is_another_one_and_the_same_in_each_run() -> None:
    assert len(set(prompts(500))) == 500
    assert list(prompts(20)) == list(prompts(500))[:20]
    assert json.loads(json.dumps(body_of("a")))["messages"] == [{"role": "user", "content": "a"}]


def measured(client: str, wall_s: float, cpu_s: float, right: int = 1000, held: int | None = None) -> Measured:
    return Measured(client, 1000, 50, wall_s, cpu_s, right, in_flight=40, held=held)


def test_a_row_holds_medians_and_ratios_to_the_floor_and_to_curator() -> None:
    runs = [measured("floor", 1.0, cpu_s) for cpu_s in (0.5, 0.4, 9.0)]
    runs += [measured("ours", 2.0, cpu_s) for cpu_s in (1.0, 0.9, 1.1)]
    runs += [measured("curator", wall_s, 4.0) for wall_s in (8.0, 9.0, 1.0)]
    floor, ours, curator = summary(runs)
    assert (floor.cpu_s_per_1000, floor.cpu_range, floor.runs) == (0.5, (0.4, 9.0), 3)
    assert (ours.cpu_of_floor, ours.requests_per_s, ours.speed_of_curator) == (2.0, 500.0, 4.0)
    assert (curator.requests_per_s, curator.speed_of_curator) == (125.0, 1.0)


def test_a_missing_reply_in_one_run_shows() -> None:
    (row,) = summary([measured("ours", 1.0, 1.0, held=50), measured("ours", 1.0, 1.0, right=999)])
    assert (row.right, row.held) == (999, 50)


def test_without_peers_there_is_nothing_to_compare_with() -> None:
    rows = summary([measured("floor", 1.0, 0.5), measured("ours", 1.0, 1.0)])
    assert [row.speed_of_curator for row in rows] == [None, None]
    head, *lines = table(rows)
    assert [len(line) for line in lines] == [len(head), len(head)]


def test_growth_compares_the_halves_of_a_run() -> None:
    assert growth([Line(n, n, mb, 0.0) for n, mb in enumerate([100.0, 200.0, 150.0, 210.0])]) == 210 / 200 - 1
    assert growth([Line(1, 1.0, 100.0, 0.0)]) == 0.0
