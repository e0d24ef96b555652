"""kill -9 at random moments: nothing is paid twice, and the digests are those of an undisturbed run."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.kill import kill_and_resume, undisturbed

MOMENTS = 4
COUNT = 100


def test_a_killed_run_pays_nothing_twice_and_ends_with_the_same_digests(tmp_path: Path) -> None:
    generator = random.Random(11)
    calm = undisturbed(tmp_path / "calm", COUNT)
    assert calm.served == 2 * COUNT
    moments = [generator.uniform((i + 0.1) / MOMENTS, (i + 0.9) / MOMENTS) * calm.seconds for i in range(MOMENTS)]
    killed = [kill_and_resume(tmp_path / str(i), COUNT, moment) for i, moment in enumerate(moments)]
    assert sum(one.was_running for one in killed) >= MOMENTS - 1, "kills came too late to show anything"
    assert any(0 < one.at_kill < calm.served for one in killed), "no kill came while the teacher was answering"
    for one in killed:
        assert one.is_good(calm), one
