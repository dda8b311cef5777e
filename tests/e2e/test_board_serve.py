"""A board that is served by the real command, and how that ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from tests.e2e.command import ACCELBENCH
from tests.unit.library import made

from accelbench.bundle.pack import pack

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def page() -> None:
    if shutil.which("npm") is None:
        assert not os.environ.get("CI"), "no npm: install it, CI must not skip the page of boards"
        pytest.skip("no npm on this machine")
    subprocess.run(["make", "page"], cwd=ROOT, check=True, capture_output=True)


@contextmanager
def serving(store: Path, scratch: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command on a free port, and its address."""
    scratch.mkdir(exist_ok=True)
    variables = {**os.environ, "TMPDIR": str(scratch), "ACCELBENCH_TOKEN": "token"}
    words = [str(ACCELBENCH), "board", "serve", str(store), "--port", "0", *more]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)
    try:
        assert server.stdout is not None
        told = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())
        assert told, server.communicate()
        yield server, told[0]
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_server_ends_at_once_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    store, _ = made.store(tmp_path)
    with serving(store, tmp_path / "scratch") as (server, address), urlopen(f"{address}api/v1/events") as events:
        assert len(json.load(urlopen(f"{address}api/v1/reports"))) == 3
        server.send_signal(number)
        _, said = server.communicate(timeout=20)
        assert events.read() is not None
    assert server.returncode == 130
    assert "Traceback" not in said
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_server_that_is_killed_during_an_upload_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store, _ = made.store(tmp_path)
    pack(made.put(tmp_path / "other", made.report(backend="new")), tmp_path / "new.zip")
    data = (tmp_path / "new.zip").read_bytes()
    before = {file: file.read_bytes() for file in (store / "reports").rglob("*") if file.is_file()}
    with serving(store, tmp_path / "scratch", "--uploads") as (server, address):
        client = subprocess.Popen(
            ["python3", "-c", SLOW, address.split(":")[2].strip("/"), str(len(data))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(data[: len(data) // 2])
        client.stdin.close()
        assert client.stdout.read(4) == b"sent"
        server.send_signal(signal.SIGKILL)
        server.wait(20)
        client.wait(20)
        client.stdout.close()
    assert {file: file.read_bytes() for file in (store / "reports").rglob("*") if file.is_file()} == before
    with serving(store, tmp_path / "scratch", "--uploads") as (_, address):
        request = Request(f"{address}api/v1/bundles", data, {"Authorization": "Bearer token"})
        assert json.load(urlopen(request))["new"]


SLOW = """
import socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
head = "POST /api/v1/bundles HTTP/1.1\\r\\nHost: localhost\\r\\nAuthorization: Bearer token\\r\\n"
connection.sendall((head + "Content-Length: %s\\r\\n\\r\\n" % sys.argv[2]).encode() + sys.stdin.buffer.read())
print("sent", flush=True)
connection.recv(1)
"""
