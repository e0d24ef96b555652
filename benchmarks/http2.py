"""What HTTP/2 gives a client that keeps many chat completions in flight to one host, and what it costs.

    python -m benchmarks.http2 --python VENV/bin/python    # an environment with httpx[http2], and pyreqwest if wanted

Needs nginx and openssl. The server is nginx with TLS 1.3, a P-256 certificate made for this run, HTTP/2 beside HTTP/1.1
and nginx's own limits, which real providers' gateways have likewise: 128 streams at once and 1,000 requests on a
connection. Behind it stands `teacher_client_endpoint`: 2,000 characters after the latency. Every client is a process of
its own and verifies the certificate (`http2_client` says what each one is). They take turns; printed are the medians of
`--runs`, and:

cold CPU     CPU seconds of 1,000 requests, all asked at once without a connection; handshakes are in it
full after   seconds from there until the endpoint has all of them in flight; `-` where that never came
CPU, req/s   of the requests that followed, on the connections that were there
in flight    the most that the endpoint saw during those
conn.        connections opened in both phases, each with one TLS handshake
server       CPU seconds of nginx for 1,000 requests, cold and warm
memory       MB that the client's peak grew by
errors       requests that failed and were asked again; `paid` are answers that the endpoint gave and nobody received

Measured on 2026-11-25 (2 cores of a virtual machine, shared with other work; CPython 3.11.7, aiohttp 3.14.5, httpx
0.28.1, h2 4.4.1, nginx 1.22.1): medians of 3; httpx was asked 1,000 requests at 500 in flight, and 3,000 at 100 (now
1,000 too); httpx-h2 500 at 2,000 (now left out). At 16 in flight nginx's figures are below its clock's step.

16 in flight, 0.05 s
client         cold CPU  full after    CPU     x   req/s  in flight  conn.       server  memory  errors  paid
aiohttp            1.26        0.03   0.26  1.00     306         16     16            -       8       0     0
aiohttp-lean       1.13        0.02   0.25  0.97     304         16     16            -       5       0     0
httpx              2.23        0.03   1.31  4.98     284         16     16            -       5       0     0
httpx-h2           1.47        0.02   1.38  5.22     246         19      2            -       5      16    11
h2                 0.40        0.01   0.32  1.23     305         16      2            -       4       1     0

100 in flight, 0.05 s
aiohttp            1.16        0.16   0.17  1.00   1,786        100    100    0.40 0.04      37       0     0
aiohttp-lean       1.00        0.14   0.17  0.98   1,705        100    100    0.40 0.05      16       0     0
httpx              3.12        0.14   8.75 51.57     110         40    257    0.40 0.16      14       0     0
httpx-h2           1.00        0.05   1.26  7.42     762        100      4    0.20 0.09      11     203   126
h2                 0.24        0.02   0.26  1.55   1,815        100      4    0.10 0.07       8       5     0

500 in flight, 0.05 s
aiohttp            1.14        0.76   0.16  1.00   4,822        500    500    0.38 0.04     168       0     0
aiohttp-lean       1.03        0.76   0.17  1.05   3,943        500    500    0.40 0.04      59       0     0
httpx             16.71        0.91  14.81 93.90      62         44    648    0.42 0.23      39       0     0
httpx-h2           1.32           -   1.64 10.43     552        100      7    0.14 0.16      24   2,808   240
httpx-h2-many      1.05        0.40   1.33  8.43     712        415     10    0.08 0.14      32     311   140
h2                 0.25        0.11   0.20  1.28   4,102        500      8    0.06 0.05      20      95     0

2,000 in flight, 2 s
aiohttp            1.22        2.53   0.24  1.00     825      2,000  2,000    0.38 0.04     631       0     0
aiohttp-lean       1.11        2.88   0.22  0.94     845      2,000  2,000    0.39 0.04     194       0     0
httpx-h2           1.89           -   1.46  6.24      48        100      3    0.13 0.14      27   1,296     0
httpx-h2-many      1.02        1.12   1.37  5.82     497      2,000     20    0.07 0.10      59       0     0
h2                 0.25        0.41   0.20  0.87     904      2,000     20    0.08 0.05      29       0     0

Once each, at 500 in flight and 0.05 s, in a run where aiohttp's CPU was 0.17: httpx2 2.16.2 for httpx-h2-many (1.03;
333 errors, 168 paid), reqwest (0.12, 5,661 requests a second), reqwest-h2 (0.25, 1,890: 128 in flight at most).
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, cast

from benchmarks.http2_client import CLIENTS
from benchmarks.teacher_client import endpoint, reset, stats
from benchmarks.teacher_client_common import raise_open_files

__all__ = ["Row", "Run", "Server", "main", "serving", "summary", "table"]

_CASES = ((16, 0.05, 1600), (100, 0.05, 3000), (500, 0.05, 6000), (2000, 2.0, 6000))
# httpx looks through all connections and requests for each one: minutes, or 100 at a time with 2 s each.
_FEWER = {("httpx", 100): 1000, ("httpx", 500): 1000}
_LEFT_OUT = {("httpx", 2000), ("httpx-h2", 2000), ("httpx-h2-many", 16), ("httpx-h2-many", 100)}
_OWN = ("aiohttp", "aiohttp-lean")
_COLD_PER_S = 400.0  # the slowest that connections may come and all be in flight at last
_LIMIT_S = 300.0
_POLL_S = 0.002
_NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 18000; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream endpoint {{ server {behind}; keepalive 6000; keepalive_requests 1000000; keepalive_timeout 600s; }}
  server {{
    listen 127.0.0.1:{port} ssl http2 backlog=4096;
    ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem; ssl_protocols TLSv1.3;
    location / {{
      proxy_pass http://endpoint; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffers 16 8k; proxy_read_timeout 120s;
    }}
  }}
  server {{ listen 127.0.0.1:{status_port}; location / {{ stub_status; }} }}
}}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One client, once. Of `cold`: all asked at once, without a connection. `connections` are of both phases."""

    client: str
    concurrency: int
    latency_s: float
    requests: int
    right: int
    cold_cpu_s: float
    full_after_s: float | None
    cpu_s: float
    wall_s: float
    in_flight: int
    connections: int
    server_cold_cpu_s: float
    server_cpu_s: float
    memory_mb: float
    failed: int
    paid: int
    errors: dict[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """A client's medians in one case; CPU seconds are those of 1,000 requests."""

    client: str
    concurrency: int
    latency_s: float
    runs: int
    cold_cpu_s: float
    full_after_s: float | None
    cpu_s: float
    cpu_of_first: float
    requests_per_s: float
    in_flight: int
    connections: int
    server_cold_cpu_s: float
    server_cpu_s: float
    memory_mb: float
    failed: int
    paid: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Server:
    """nginx in front of the endpoint."""

    base_url: str
    behind: str
    certificate: Path
    status_url: str
    asked: Path
    pid: int

    def accepted(self) -> int:
        """Connections so far, without those that asked for this number."""
        with urllib.request.urlopen(self.status_url) as response:
            text = response.read().decode()
        asked = int(self.asked.read_text()) + 1
        self.asked.write_text(str(asked))
        return int(text.splitlines()[2].split()[0]) - asked

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving() -> Generator[Server]:
    """The endpoint and nginx, until the block is left."""
    with tempfile.TemporaryDirectory(prefix="http2-") as made, endpoint() as behind:
        folder, (port, status_port) = Path(made), _free_ports(2)
        _certify(folder)
        host = behind.removeprefix("http://").removesuffix("/v1")
        text = _NGINX.format(folder=folder, behind=host, port=port, status_port=status_port)
        (folder / "nginx.conf").write_text(text)
        nginx = ["nginx", "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log", "-g", "user root;"]
        with subprocess.Popen(nginx if os.geteuid() == 0 else nginx[:-2]) as process:
            try:
                _wait_for(status_port)
                (folder / "asked").write_text("1")
                yield Server(
                    base_url=f"https://127.0.0.1:{port}/v1",
                    behind=behind,
                    certificate=folder / "ca.pem",
                    status_url=f"http://127.0.0.1:{status_port}",
                    asked=folder / "asked",
                    pid=process.pid,
                )
            finally:
                process.terminate()


def _certify(folder: Path) -> None:
    """An authority and a certificate by it, as most clients want both."""
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    authority = ["-subj", "/CN=benchmark", "-keyout", f"{folder}/ca-key.pem", "-out", f"{folder}/ca.pem"]
    subprocess.run([*new, *authority], check=True, capture_output=True)
    by = ["-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca-key.pem"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]
    files = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"]
    subprocess.run([*new, *by, *names, *files], check=True, capture_output=True)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_for(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise SystemExit("nginx does not listen")


def measure(client: str, case: tuple[int, float, int], server: Server, given: argparse.Namespace) -> Run:
    """One client in a process of its own, cold and then warm."""
    concurrency, latency_s, requests = case
    requests = min(requests, _FEWER.get((client, concurrency), requests))
    python = sys.executable if client in _OWN else given.python
    command = [python, "-m", "benchmarks.http2_client", client, "--base-url", server.base_url]
    options = ["--certificate", str(server.certificate), "--httpx", given.httpx]
    counts = ["--requests", str(requests), "--concurrency", str(concurrency)]
    with subprocess.Popen(
        [*command, *options, *counts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        cold_s = max(2.0, concurrency / _COLD_PER_S)
        _line(process)
        reset(server.behind, cold_s)
        accepted, server_cpu = server.accepted(), [server.cpu_s()]
        full_after_s = _full_after(server, process, concurrency, cold_s)
        cold = _line(process)
        server_cpu.append(server.cpu_s())
        _line(process)
        reset(server.behind, latency_s)
        _go(process)
        warm = _line(process)
        server_cpu.append(server.cpu_s())
        accepted = server.accepted() - accepted
        process.wait(_LIMIT_S)
    seen = stats(server.behind)
    return Run(
        client=client,
        concurrency=concurrency,
        latency_s=latency_s,
        requests=requests,
        right=warm["right"],
        cold_cpu_s=cold["cpu_s"],
        full_after_s=full_after_s,
        cpu_s=warm["cpu_s"],
        wall_s=warm["wall_s"],
        in_flight=seen["most_in_flight"],
        connections=accepted,
        server_cold_cpu_s=server_cpu[1] - server_cpu[0],
        server_cpu_s=server_cpu[2] - server_cpu[1],
        memory_mb=warm["memory_mb"],
        failed=sum(warm["errors"].values()) + sum(cold["errors"].values()),
        paid=seen["served"] - warm["right"],
        errors={**cold["errors"], **warm["errors"]},
    )


def _line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("a client ended early")
    return cast("dict[str, Any]", json.loads(line))


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def _full_after(server: Server, process: subprocess.Popen[str], concurrency: int, within_s: float) -> float | None:
    """Let the client begin; seconds until the endpoint has that many in flight."""
    began = time.monotonic()
    _go(process)
    while (now := time.monotonic()) < began + within_s:
        if stats(server.behind)["most_in_flight"] >= concurrency:
            return now - began
        time.sleep(_POLL_S)
    return None


def summary(runs: Sequence[Run]) -> list[Row]:
    """One row for each client, in the order they were first measured; all of one case."""
    by_client: dict[str, list[Run]] = {}
    for each in runs:
        by_client.setdefault(each.client, []).append(each)
    first = median(each.cpu_s / each.requests for each in by_client[runs[0].client])
    rows: list[Row] = []
    for client, of_one in by_client.items():
        full = [each.full_after_s for each in of_one if each.full_after_s is not None]
        one = of_one[0]
        thousands = one.requests / 1e3
        rows.append(
            Row(
                client=client,
                concurrency=one.concurrency,
                latency_s=one.latency_s,
                runs=len(of_one),
                cold_cpu_s=median(each.cold_cpu_s for each in of_one) / one.concurrency * 1e3,
                full_after_s=median(full) if len(full) == len(of_one) else None,
                cpu_s=median(each.cpu_s for each in of_one) / thousands,
                cpu_of_first=median(each.cpu_s / each.requests for each in of_one) / first,
                requests_per_s=median(each.requests / each.wall_s for each in of_one),
                in_flight=int(median(each.in_flight for each in of_one)),
                connections=int(median(each.connections for each in of_one)),
                server_cold_cpu_s=median(each.server_cold_cpu_s for each in of_one) / one.concurrency * 1e3,
                server_cpu_s=median(each.server_cpu_s for each in of_one) / thousands,
                memory_mb=median(each.memory_mb for each in of_one),
                failed=int(median(each.failed for each in of_one)),
                paid=int(median(each.paid for each in of_one)),
                is_complete=all(each.right == each.requests for each in of_one),
            )
        )
    return rows


def table(rows: Sequence[Row]) -> list[str]:
    """Lines of text, with a head."""
    one = rows[0]
    lines = [
        f"{one.concurrency:,} in flight, {one.latency_s:g} s, medians of {one.runs}",
        "client         cold CPU  full after    CPU     x   req/s  in flight  conn.       server  memory  errors  paid",
    ]
    for row in rows:
        full = "-" if row.full_after_s is None else f"{row.full_after_s:.2f}"
        server = f"{row.server_cold_cpu_s:.2f} {row.server_cpu_s:.2f}"
        lines.append(
            f"{row.client:13} {row.cold_cpu_s:9.2f} {full:>11} {row.cpu_s:6.2f} {row.cpu_of_first:5.2f} "
            f"{row.requests_per_s:7,.0f} {row.in_flight:10,} {row.connections:6,} {server:>12} {row.memory_mb:7.0f} "
            f"{row.failed:7,} {row.paid:5,}{'' if row.is_complete else '  incomplete'}"
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="the interpreter of the other clients (default: only aiohttp is measured)")
    parser.add_argument(
        "--client", action="append", choices=CLIENTS, help="may be given several times (default: all but reqwest)"
    )
    parser.add_argument("--httpx", default="httpx", help="httpx, or its successor httpx2")
    parser.add_argument("--case", action="append", help=f"CONCURRENCY,LATENCY,REQUESTS (default: {_CASES})")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    raise_open_files()
    clients = given.client or [name for name in CLIENTS if name in _OWN or (given.python and "reqwest" not in name)]
    cases = [_case(text) for text in given.case or ()] or _CASES
    rows: list[Row] = []
    with serving() as server:
        for case in cases:
            of_case = [name for name in clients if (name, case[0]) not in _LEFT_OUT]
            measure("aiohttp", (case[0], 0.05, case[0]), server, given)  # nginx's own connections to the endpoint
            runs = [measure(name, case, server, given) for _ in range(given.runs) for name in of_case]
            rows += (found := summary(runs))
            if given.json:
                continue
            print("\n".join(table(found)), flush=True)
            for name in of_case:
                errors = {what: count for run in runs if run.client == name for what, count in run.errors.items()}
                print(*(f"  {name}: {what}" for what in errors), sep="\n", end="\n" if errors else "")
            print(flush=True)
    if given.json:
        print(json.dumps([asdict(row) for row in rows]))
    return 0 if all(row.is_complete for row in rows) else 1


def _case(text: str) -> tuple[int, float, int]:
    concurrency, latency_s, requests = text.split(",")
    return int(concurrency), float(latency_s), int(requests)


if __name__ == "__main__":
    sys.exit(main())
