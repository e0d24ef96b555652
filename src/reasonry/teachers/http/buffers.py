"""Memory of TLS connections: asyncio gives each a read buffer of 256 KiB, at 2,000 of them half a gigabyte."""

from __future__ import annotations

from typing import Any

__all__ = ["READ_BYTES", "small_read_buffers"]

READ_BYTES = 1 << 15  # two TLS records


def small_read_buffers() -> None:
    """Let TLS connections that are made from here on have a smaller read buffer.

    Measured at 2,000 in flight: 219 MB in the place of 654 (docs/decisions/011-http2.md). The size is an attribute of
    asyncio's own that nobody promises; where it is not there, nothing is changed.
    """
    from asyncio import sslproto

    protocol: Any = getattr(sslproto, "SSLProtocol", None)
    if protocol is not None and getattr(protocol, "max_size", 0) > READ_BYTES:
        protocol.max_size = READ_BYTES
