"""The wire between host and worker: a 4-byte big-endian length, then that many bytes of UTF-8 JSON, one object.

The host asks ``{"verb": name, ...}``; the worker answers ``{"ok": value}`` or ``{"error": {"kind", "message",
"detail"}}``, one answer per question, in order. Tensors never travel here: they lie in folders that messages name.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any

from accelbench.errors import WorkerError

LIMIT = 64 << 20
"""The longest message in bytes."""

Message = dict[str, Any]
_LENGTH = struct.Struct(">I")


class Inbox:
    """Puts one message together from the pieces in which a pipe delivers it."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, piece: bytes) -> Message | None:
        """The message, once ``piece`` completes it. Raises WorkerError (``protocol``) for anything malformed."""
        self._bytes += piece
        if len(self._bytes) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._bytes)
        if length > LIMIT:
            raise WorkerError(
                "protocol", f"a message of {length} bytes was announced on the wire; the limit is {LIMIT}"
            )
        end = _LENGTH.size + length
        if len(self._bytes) < end:
            return None
        body, rest = bytes(self._bytes[_LENGTH.size : end]), len(self._bytes) - end
        self._bytes.clear()
        if rest:
            raise WorkerError("protocol", f"{rest} bytes follow a message on the wire; one answer was expected")
        try:
            message = json.loads(body.decode("utf-8"))
        except ValueError as error:
            raise WorkerError("protocol", f"a message on the wire is not JSON: {error}") from error
        if not isinstance(message, dict):
            raise WorkerError("protocol", f"a message on the wire is a {type(message).__name__}, not an object")
        return message


def pack(message: Message) -> bytes:
    """The bytes of a message. Raises WorkerError (``protocol``) for what JSON cannot hold, NaN included."""
    try:
        body = json.dumps(message, allow_nan=False).encode("utf-8")
    except (TypeError, ValueError) as error:
        raise WorkerError("protocol", f"a message for the wire cannot be written as JSON: {error}") from error
    if len(body) > LIMIT:
        raise WorkerError("protocol", f"a message for the wire has {len(body)} bytes; the limit is {LIMIT}")
    return _LENGTH.pack(len(body)) + body


def send(descriptor: int, message: Message) -> None:
    """Write a message, all of it."""
    rest = memoryview(pack(message))
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def receive(descriptor: int) -> Message | None:
    """Wait for a message; None when the other side has closed the wire."""
    inbox = Inbox()
    while True:
        piece = os.read(descriptor, 1 << 16)
        if not piece:
            return None
        message = inbox.feed(piece)
        if message is not None:
            return message
