"""kill -9 at random moments: nothing is paid twice, and the digests are those of an undisturbed run."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.kill import CONCURRENCY, kill_and_resume, serving, undisturbed

MOMENTS = 4


def test_a_killed_run_pays_nothing_twice_and_ends_with_the_same_digests(tmp_path: Path) -> None:
    generator = random.Random(11)
    with serving() as base_url:
        calm = undisturbed(base_url, tmp_path / "calm", count=60)
        assert calm.served == 120
        killed = [
            kill_and_resume(
                base_url,
                tmp_path / str(i),
                60,
                generator.uniform((i + 0.1) / MOMENTS, (i + 0.9) / MOMENTS) * calm.seconds,
            )
            for i in range(MOMENTS)
        ]
    assert sum(one.was_running for one in killed) >= MOMENTS - 1, "kills came too late to show anything"
    for one in killed:
        assert one.digest == calm.digest
        assert one.twice <= one.in_flight <= CONCURRENCY
        assert one.served == calm.served + one.twice
