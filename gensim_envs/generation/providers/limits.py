"""Limits on the size and duration of one exchange with a server."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

from gensim_envs.generation.providers import ApiError

MOST_BYTES = 32_000_000
"""Maximum size of an answer; a stream takes about 250 bytes a token."""
DEADLINE = 10.0
"""Maximum duration of an exchange, in units of `timeout`."""
_DONE = re.compile(rb"(?:^|\n)data: ?\[DONE\]")


@contextlib.contextmanager
def ended_after(request: Any, seconds: float) -> Iterator[None]:
    """Cut the connection of a request when its time is over, wherever it waits then.

    The client's own timeouts begin anew with each byte, in the headers as in the body.

    Args:
        request: an httpx request that opens a connection of its own.
        seconds: the time of the whole block.

    Raises:
        ApiError: if the block took longer.
    """
    sockets: list[socket.socket] = []
    is_over = threading.Event()

    def follow(event: str, info: dict[str, Any]) -> None:
        stream: Any = info.get("return_value")
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            sockets.append(stream.get_extra_info("socket"))
        if is_over.is_set():  # a step later than `cut` has seen
            raise ApiError("over")

    def cut() -> None:
        is_over.set()
        for each in list(sockets):
            with contextlib.suppress(OSError):  # it has ended, or TLS has replaced it
                each.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    request.extensions = {**request.extensions, "trace": follow}
    timer.start()
    try:
        yield
    except Exception:
        if not is_over.is_set():
            raise
    finally:
        timer.cancel()
    if is_over.is_set():
        raise ApiError(f"the answer took longer than {seconds:.0f} s. Use a longer --timeout")


def read_body(response: Any) -> None:
    """Read the body of a response within the limit, before the client reads it without.

    Raises:
        ApiError: if it is too large, or compressed, which can hide its size.
    """
    # The hook runs before the client reads; `_content` is where httpx keeps what was read.
    body = bytearray()
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ApiError("the server compresses its answers although it was asked not to")
    for part in response.iter_raw():
        start = max(0, len(body) - 20)
        body += part
        if len(body) > MOST_BYTES:
            raise ApiError(f"the answer is longer than {MOST_BYTES // 1_000_000} MB")
        if _DONE.search(body, start):  # some servers keep the connection open
            break
    response.close()
    response._content = bytes(body)
