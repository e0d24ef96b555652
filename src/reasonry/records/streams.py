"""The lines of a file, plain or packed, with a limit on their length."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from reasonry.errors import InputError
from reasonry.records.rows import CONTENT_BYTES, LINE_TOO_LONG, SetAside, beginning

__all__ = ["MAX_LINE_BYTES", "PACKED", "STDIN", "Lines", "TooLong", "first_line", "open_lines"]

STDIN = Path("-")
MAX_LINE_BYTES = 16 << 20
PACKED = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
_ZSTD_READ_BYTES = 2048  # may unpack to 64 MB at worst (blocks of one repeated byte), all at once
_UTF8_MARK = b"\xef\xbb\xbf"


class TooLong(Exception):
    """A line over the limit. It was skipped; the next one can be read."""

    def __init__(self, start: bytes) -> None:
        super().__init__()
        self.start = start

    def set_aside(self, file: str, row: int) -> SetAside:
        return SetAside(file, row, LINE_TOO_LONG, f"longer than {MAX_LINE_BYTES >> 20} MiB", beginning(self.start))


@dataclass(slots=True)
class Lines:
    """The lines of a stream, split at b"\\n" alone. `number` is the line that was read last."""

    stream: BinaryIO = field(default_factory=io.BytesIO)
    number: int = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next line with its end. Raises TooLong, holding no more of the line than the limit."""
        line = self.stream.readline(MAX_LINE_BYTES + 1)
        if not line:
            raise StopIteration
        too_long = len(line) > MAX_LINE_BYTES and not line.endswith(b"\n")
        if too_long:
            self._skip_rest()
        self.number += 1
        if too_long:
            raise TooLong(line[:CONTENT_BYTES])
        return line.removeprefix(_UTF8_MARK) if self.number == 1 else line

    def _skip_rest(self) -> None:
        while (rest := self.stream.readline(1 << 20)) and not rest.endswith(b"\n"):
            pass


@contextmanager
def open_lines(path: Path) -> Generator[Lines]:
    """The lines of a file (or of the standard input), unpacked where its first bytes say so.

    Raises InputError where the stream breaks, with the last whole line before it.
    """
    lines = Lines()
    with ExitStack() as stack:
        try:
            lines.stream = _unpacked(path, stack)
            yield lines
        except (OSError, EOFError, zlib.error) as exc:
            raise _broken(path, lines.number, exc) from exc


def _broken(path: Path, row: int, exc: Exception) -> InputError:
    reason = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
    after, place = (f", after row {row}", f"{path}:{row}") if row else ("", str(path))
    hint = "fetch the file again" if path.exists() else "check the path"
    return InputError(f"cannot be read{after}: {first_line(reason)}", place=place, hint=hint)


def first_line(text: str) -> str:
    """The first line of an error from outside, as a part of our sentence."""
    line = text.splitlines()[0] if text else "damaged"
    return f"{line[:1].lower()}{line[1:]}"


def _unpacked(path: Path, stack: ExitStack) -> BinaryIO:
    # Not by the name /dev/stdin: that cannot open a socket, and begins a file anew that was read in part.
    file = cast("io.BufferedReader", sys.stdin.buffer) if path == STDIN else stack.enter_context(path.open("rb"))
    head = file.peek(4)[:4]  # a pipe cannot go back
    _refuse(path, head)
    if head.startswith(PACKED[".gz"]):
        return cast("BinaryIO", stack.enter_context(gzip.GzipFile(fileobj=file)))
    if head.startswith(PACKED[".zst"]):
        return stack.enter_context(io.BufferedReader(_ZstdStream(file), 1 << 16))
    return file


def _refuse(path: Path, head: bytes) -> None:
    """Files whose first bytes show that they are something else."""
    place, suffix = str(path), path.suffix.lower()
    if head == b"PAR1":
        raise InputError("this is a Parquet file", place=place, hint='read it with source = "parquet"')
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError("this is UTF-16 text", place=place, hint="save the file as UTF-8")
    if head and suffix in PACKED and not any(head.startswith(magic) for magic in PACKED.values()):
        raise InputError(f"not a {suffix} file", place=place, hint=f"fetch it again, or take {suffix} off its name")


class _ZstdStream(io.RawIOBase):
    """Unpacks zstd frames. The library's own reader takes a truncated stream for its end; this one raises OSError."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        import zstandard

        self._file = file
        self._context = zstandard.ZstdDecompressor()
        self._error = zstandard.ZstdError
        self._frame = self._context.decompressobj()
        self._inside = False  # some of a frame was read, its end was not
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._ready:
            block = self._frame.unused_data if self._frame.eof else b""
            block = block or self._file.read(_ZSTD_READ_BYTES)
            if not block:
                if self._inside:
                    raise OSError("the zstd stream ends early")
                return 0
            self._feed(block)
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _feed(self, block: bytes) -> None:
        if self._frame.eof:
            self._frame = self._context.decompressobj()
        try:
            self._ready = memoryview(self._frame.decompress(block))
        except self._error as exc:
            raise OSError(f"damaged zstd stream ({exc})") from exc
        self._inside = not self._frame.eof
