"""Bodies of responses, read whole and never without an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reasonry.errors import TeacherError

if TYPE_CHECKING:
    import aiohttp

__all__ = ["read_body"]

_AT_ONCE_BYTES = 1 << 20


async def read_body(response: aiohttp.ClientResponse, limit: int, *, cut: bool = False) -> bytes:
    """The body, unpacked, of at most `limit` bytes; a longer one is cut or refused."""
    length = response.content_length  # of the body as it was sent, so it says nothing of a packed one
    if length is not None and length <= min(limit, _AT_ONCE_BYTES) and "Content-Encoding" not in response.headers:
        return await response.read()
    read = bytearray()
    async for block in response.content.iter_chunked(1 << 16):
        read += block
        if len(read) > limit:
            if cut:
                break
            raise TeacherError(f"the answer is larger than {limit / 1e6:.0f} MB")
    return bytes(read[:limit])
