import json
import os
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.errors import WorkerError
from accelbench.worker.wire import LIMIT, Inbox, pack, receive, send

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(message=st.dictionaries(st.text(), VALUES, max_size=4), sizes=st.lists(st.integers(1, 9), min_size=1))
def test_a_message_arrives_whole_in_whatever_pieces(message: dict[str, Any], sizes: list[int]) -> None:
    data, inbox, got = pack(message), Inbox(), None
    while data:
        assert got is None
        size = sizes[len(data) % len(sizes)]
        piece, data = data[:size], data[size:]
        got = inbox.feed(piece)
    assert got == message


def test_over_a_pipe() -> None:
    read, write = os.pipe()
    send(write, {"verb": "hello", "text": "é\n"})
    assert receive(read) == {"verb": "hello", "text": "é\n"}
    os.close(write)
    assert receive(read) is None
    os.close(read)


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (struct.pack(">I", LIMIT + 1), f"of {LIMIT + 1} bytes was announced"),
        (framed(b"{nonsense"), "is not JSON"),
        (framed(b"\xff\xfe"), "is not JSON"),
        (framed(b"[1]"), "is a list, not an object"),
        (framed(b"{}") + b"more", "4 bytes follow a message"),
        (b"HTTP/1.1 200 OK", "bytes was announced"),
    ],
)
def test_malformed_messages_are_errors(data: bytes, text: str) -> None:
    with pytest.raises(WorkerError, match=text) as caught:
        Inbox().feed(data)
    assert caught.value.kind == "protocol"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes"])
def test_what_json_cannot_hold_is_not_sent(value: object) -> None:
    with pytest.raises(WorkerError, match="cannot be written as JSON"):
        pack({"value": value})


def test_too_long_a_message_is_not_sent() -> None:
    with pytest.raises(WorkerError, match="the limit is"):
        pack({"value": "x" * LIMIT})


def test_the_form_on_the_wire() -> None:
    data = pack({"a": 1})
    assert data[:4] == b"\x00\x00\x00\x08"
    assert json.loads(data[4:]) == {"a": 1}
