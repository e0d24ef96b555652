"""Programs in the manner of APPS, each with tests that feed it stdin and name the stdout it must print.

    python -m benchmarks.sandbox_workload            # how long each takes inside a warm interpreter

The programs are ours. They read as Codeforces solutions in Python do, work for 0.2 ms or less once compiled, and leave
with status 0. What a test expects never comes from running the program: beside each program stands a function that
draws an input and answers it another way, by brute force where it can.
"""

from __future__ import annotations

import io
import random
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import accumulate
from statistics import median
from typing import NamedTuple

__all__ = ["KINDS", "Kind", "Test", "Workload", "apps_like"]


class Test(NamedTuple):
    """What a program reads, and all that it must print."""

    stdin: str
    expected: str


@dataclass(frozen=True, slots=True)
class Workload:
    """One program and its tests."""

    program: str
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A program, and the function that draws a test for it and answers it independently."""

    program: str
    drawn: Callable[[random.Random], Test]


def apps_like(programs: int = 8, tests: int = 20) -> list[Workload]:
    """The same workload in every process. Past the last kind the programs repeat, with other inputs."""
    made: list[Workload] = []
    for number in range(programs):
        kind, draw = KINDS[number % len(KINDS)], random.Random(f"sandbox {number}")
        made.append(Workload(kind.program, tuple(kind.drawn(draw) for _ in range(tests))))
    return made


STRETCH = """\
n = int(input())
a = list(map(int, input().split()))
best = cur = a[0]
for x in a[1:]:
    cur = max(x, cur + x)
    best = max(best, cur)
print(best)
"""


def _stretch(draw: random.Random) -> Test:
    """The largest sum of neighbours; expected: over every stretch."""
    numbers = [draw.randint(-50, 50) for _ in range(draw.randint(1, 60))]
    best = max(max(accumulate(numbers[start:])) for start in range(len(numbers)))
    return Test(f"{len(numbers)}\n{' '.join(map(str, numbers))}\n", f"{best}\n")


WORDS = """\
import sys
from collections import Counter

def main():
    data = sys.stdin.read().split()
    k = int(data[0])
    count = Counter(data[1:])
    for word, times in sorted(count.items(), key=lambda item: (-item[1], item[0]))[:k]:
        print(word, times)

main()
"""


def _words(draw: random.Random) -> Test:
    """The k most frequent words; expected: by counting anew for each word."""
    words = ["".join(draw.choices("ab", k=draw.randint(1, 3))) for _ in range(draw.randint(8, 60))]
    ordered = sorted(sorted(set(words)), key=words.count, reverse=True)
    k = draw.randint(1, 5)
    return Test(f"{k}\n{' '.join(words)}\n", "".join(f"{word} {words.count(word)}\n" for word in ordered[:k]))


ROPES = """\
import heapq
import sys
input = sys.stdin.readline

n = int(input())
heap = [int(x) for x in input().split()]
heapq.heapify(heap)
total = 0
while len(heap) > 1:
    both = heapq.heappop(heap) + heapq.heappop(heap)
    total += both
    heapq.heappush(heap, both)
print(total)
"""


def _ropes(draw: random.Random) -> Test:
    """The least cost of tying all ropes together; expected: by sorting before every knot."""
    ropes = [draw.randint(1, 1000) for _ in range(draw.randint(1, 40))]
    left, total = sorted(ropes), 0
    while len(left) > 1:
        total += left[0] + left[1]
        left = sorted([left[0] + left[1], *left[2:]])
    return Test(f"{len(ropes)}\n{' '.join(map(str, ropes))}\n", f"{total}\n")


COINS = """\
import sys

def solve(coins, target):
    INF = float('inf')
    dp = [0] + [INF] * target
    for value in range(1, target + 1):
        for coin in coins:
            if coin <= value and dp[value - coin] + 1 < dp[value]:
                dp[value] = dp[value - coin] + 1
    return dp[target] if dp[target] != INF else -1

n, target = map(int, sys.stdin.readline().split())
coins = list(map(int, sys.stdin.readline().split()))
print(solve(coins, target))
"""


def _coins(draw: random.Random) -> Test:
    """The fewest coins that make an amount, or -1; expected: by the sums of 1 coin, of 2 coins, and so on."""
    coins, target = sorted(draw.sample(range(3, 30), k=4)), draw.randint(20, 90)
    sums, used = {0}, 0
    while sums and target not in sums:
        sums, used = {old + coin for old in sums for coin in coins if old + coin <= target}, used + 1
    return Test(f"{len(coins)} {target}\n{' '.join(map(str, coins))}\n", f"{used if sums else -1}\n")


MEETINGS = """\
import sys
input = sys.stdin.readline

def main():
    n = int(input())
    meetings = []
    for _ in range(n):
        start, end = map(int, input().split())
        meetings.append((start, end))
    meetings.sort(key=lambda m: (m[1], m[0]))
    free, count = 0, 0
    for start, end in meetings:
        if start >= free:
            count += 1
            free = end
    print(count)

if __name__ == "__main__":
    main()
"""


def _meetings(draw: random.Random) -> Test:
    """How many meetings one room can hold; expected: by taking or leaving each."""
    starts = [draw.randint(0, 80) for _ in range(draw.randint(1, 25))]
    meetings = [(start, start + draw.randint(1, 15)) for start in starts]

    @cache
    def most(free: int) -> int:
        return max((1 + most(end) for start, end in meetings if start >= free), default=0)

    lines = "".join(f"{start} {end}\n" for start, end in meetings)
    return Test(f"{len(meetings)}\n{lines}", f"{most(0)}\n")


MULTIPLES = """\
import math

t = int(input())
for _ in range(t):
    a, b = [int(x) for x in input().split()]
    g = math.gcd(a, b)
    print(g, a * b // g, 'YES' if g == 1 else 'NO')
"""


def _multiples(draw: random.Random) -> Test:
    """Greatest common divisor, least common multiple, coprime or not; expected: from the fraction in lowest terms."""
    pairs = [(draw.randint(1, 10**6), draw.randint(1, 10**4)) for _ in range(draw.randint(1, 20))]
    expected: list[str] = []
    for a, b in pairs:
        lowest = Fraction(a, b)
        coprime = "YES" if lowest.denominator == b else "NO"
        expected.append(f"{a // lowest.numerator} {a * lowest.denominator} {coprime}\n")
    return Test(f"{len(pairs)}\n" + "".join(f"{a} {b}\n" for a, b in pairs), "".join(expected))


MAZE = """\
from collections import deque

h, w = map(int, input().split())
grid = [input().strip() for _ in range(h)]
dist = [[-1] * w for _ in range(h)]
dist[0][0] = 0
queue = deque([(0, 0)])
while queue:
    y, x = queue.popleft()
    for dy, dx in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        ny, nx = y + dy, x + dx
        if 0 <= ny < h and 0 <= nx < w and grid[ny][nx] == '.' and dist[ny][nx] < 0:
            dist[ny][nx] = dist[y][x] + 1
            queue.append((ny, nx))
print(dist[h - 1][w - 1])
"""


def _maze(draw: random.Random) -> Test:
    """Steps from corner to corner, or -1; expected: by growing the set of cells within reach, without an order."""
    height, width = draw.randint(2, 8), draw.randint(2, 8)
    cells = {y + x * 1j for y in range(height) for x in range(width)}
    end = height - 1 + (width - 1) * 1j
    free = {cell for cell in cells if cell in (0, end) or draw.random() < 0.75}
    reached, grown, steps = set[complex](), {0j}, 0
    while end not in grown and grown != reached:
        reached, steps = grown, steps + 1
        grown = reached | {cell + step for cell in reached for step in (1, -1, 1j, -1j)} & free
    rows = "".join("".join(".#"[y + x * 1j not in free] for x in range(width)) + "\n" for y in range(height))
    return Test(f"{height} {width}\n{rows}", f"{steps if end in grown else -1}\n")


PALINDROMES = """\
class Solution:
    def longest(self, s: str) -> int:
        best = 0
        for centre in range(len(s)):
            for left, right in ((centre, centre), (centre, centre + 1)):
                while left >= 0 and right < len(s) and s[left] == s[right]:
                    left -= 1
                    right += 1
                best = max(best, right - left - 1)
        return best

for _ in range(int(input())):
    print(Solution().longest(input().strip()))
"""


def _palindromes(draw: random.Random) -> Test:
    """The length of the longest palindrome in each word; expected: over every piece of it."""
    words = ["".join(draw.choices("abc", k=draw.randint(1, 16))) for _ in range(draw.randint(1, 6))]
    lengths = [max(len(piece) for piece in _pieces(word) if piece == piece[::-1]) for word in words]
    return Test(f"{len(words)}\n" + "".join(f"{word}\n" for word in words), "".join(f"{n}\n" for n in lengths))


def _pieces(word: str) -> list[str]:
    return [word[start:end] for start in range(len(word)) for end in range(start + 1, len(word) + 1)]


KINDS = (
    Kind(STRETCH, _stretch),
    Kind(WORDS, _words),
    Kind(ROPES, _ropes),
    Kind(COINS, _coins),
    Kind(MEETINGS, _meetings),
    Kind(MULTIPLES, _multiples),
    Kind(MAZE, _maze),
    Kind(PALINDROMES, _palindromes),
)


def main() -> int:
    """Print how long each program takes in this process, by compiling and by running. Exit 1 where one is wrong."""
    wrong = 0
    for kind, workload in zip(KINDS, apps_like(len(KINDS)), strict=True):
        compiling, running = list[float](), list[float]()
        for test in workload.tests:
            start = time.perf_counter()
            code = compile(workload.program, "<program>", "exec")
            compiled = time.perf_counter()
            wrong += _printed(code, test.stdin) != test.expected
            compiling.append(1e3 * (compiled - start))
            running.append(1e3 * (time.perf_counter() - compiled))
        name = kind.drawn.__name__.removeprefix("_")
        print(f"{name:12} compiled in {median(compiling):.2f} ms, run in {median(running):.2f} ms")
    print(f"{wrong} wrong")
    return 1 if wrong else 0


def _printed(code: object, stdin: str) -> str:
    """What code prints when it is run here."""
    kept, sys.stdin = sys.stdin, io.StringIO(stdin)
    try:
        with redirect_stdout(io.StringIO()) as printed:
            exec(code, {"__name__": "__main__"})  # pyright: ignore[reportArgumentType]
    finally:
        sys.stdin = kept
    return printed.getvalue()


if __name__ == "__main__":
    sys.exit(main())
