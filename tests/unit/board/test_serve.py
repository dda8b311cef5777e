"""The server, asked by a real client on the loopback."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.unit.board.factory import assets
from tests.unit.library import made

from accelbench.board import api
from accelbench.board.data import Wish
from accelbench.board.live import Live
from accelbench.board.serve import Server
from accelbench.board.upload import Quarantine
from accelbench.bundle.pack import pack
from accelbench.errors import UsageError
from accelbench.report.store import open_report

TOKEN = "a-token"


def connected(server: Server) -> http.client.HTTPConnection:
    host, port = server.server_address[:2]
    return http.client.HTTPConnection(str(host), port, timeout=20)


@dataclass
class Client:
    """Asks one server; ``folders`` are those of its reports."""

    server: Server
    store: Path
    folders: list[Path]

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = connected(self.server)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read(), dict(response.getheaders())
        finally:
            connection.close()

    def json(self, path: str) -> Any:
        status, body, headers = self.ask(path)
        assert (status, headers["Content-Type"]) == (200, "application/json"), body
        return json.loads(body)

    def upload(self, data: bytes, token: str | None = TOKEN) -> tuple[int, Any]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        status, body, _ = self.ask("/api/v1/bundles", "POST", data, headers)
        return status, json.loads(body)


@contextmanager
def serving(tmp_path: Path, uploads: bool = False, poll_s: float = 60.0) -> Iterator[Client]:
    store, folders = made.store(tmp_path)
    quarantine = Quarantine(store, 10**6) if uploads else None
    wish = Wish(served=True)
    with (
        Live([store], wish, assets(tmp_path), poll_s) as live,
        Server(live, "127.0.0.1", 0, quarantine, TOKEN if uploads else None) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield Client(server, store, folders)
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with serving(tmp_path) as found:
        yield found


def test_files_of_the_board_and_nothing_else(client: Client, tmp_path: Path) -> None:
    report, _ = open_report(client.folders[0])
    for path in ("/", "/index.html", "/board.js", "/data/index.js", f"/data/reports/{report.id[:12]}.js"):
        status, body, headers = client.ask(path)
        assert status == 200
        assert body
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    (tmp_path / "secret.json").write_text("{}")
    for path in (
        "/../secret.json", "/data/../../secret.json", "/data/%2e%2e/%2e%2e/secret.json", "/data/..%2findex.html",
        "/data", "/data/", "/data/reports/", "//etc/passwd", "/%00", "/store/index.sqlite", "/api/v1/nothing", "/api",
    ):  # fmt: skip
        assert client.ask(path)[0] == 404, path


def test_a_file_travels_once_and_packed_for_those_who_can(client: Client) -> None:
    (client.server.live.folder / "board.js").write_bytes(b"0123456789" * 1000)
    _, plain, headers = client.ask("/board.js")
    assert "Content-Encoding" not in headers
    for accepted in ("gzip", "br, gzip;q=0.5", "GZIP ; q=1.0"):
        status, packed, headers = client.ask("/board.js", headers={"Accept-Encoding": accepted})
        assert (status, headers["Content-Encoding"], headers["Vary"]) == (200, "gzip", "Accept-Encoding")
        assert gzip.decompress(packed) == plain
        assert len(packed) < len(plain)
    for accepted in ("br", "gzip;q=0", "gzip;q=0.00, br", "x-gzip2"):
        assert client.ask("/board.js", headers={"Accept-Encoding": accepted})[1] == plain
    status, body, again = client.ask("/board.js", headers={"If-None-Match": f'W/"x", {headers["ETag"]}'})
    assert (status, body, again["ETag"]) == (304, b"", headers["ETag"])
    (client.server.live.folder / "board.js").write_bytes(b"new")
    assert client.ask("/board.js", headers={"If-None-Match": headers["ETag"]})[:2] == (200, b"new")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "OPTIONS", "BREW"])
def test_another_method_is_told_which_there_are(client: Client, method: str) -> None:
    status, body, headers = client.ask("/", method)
    assert (status, headers["Allow"], headers["Connection"]) == (405, "GET, HEAD", "close")
    assert json.loads(body) == {"error": "this server knows GET, HEAD"}


def test_what_is_no_request_is_refused_in_json(client: Client) -> None:
    host, port = client.server.server_address[:2]
    with socket.create_connection((str(host), port), timeout=20) as talk:
        talk.sendall(b"GET / HTTP/9.9\r\n\r\n")
        with talk.makefile("rb") as told:
            head, _, body = told.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 505 ")
    assert "error" in json.loads(body)


def test_head_has_no_body(client: Client) -> None:
    status, body, headers = client.ask("/board.js", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0


def test_reports_are_listed_chosen_and_given_whole(client: Client) -> None:
    assert len(client.json("/api/v1/reports")) == 3
    assert len(client.json("/api/v1/reports?limit=2")) == 2
    assert len(client.json("/api/v1/reports?limit=2&offset=2")) == 1
    (row,) = client.json("/api/v1/reports?backend=stack-1")
    status, body, _ = client.ask(f"/api/v1/reports/{row['id']}")
    assert (status, body) == (200, (client.folders[1] / "report.json").read_bytes())
    assert {each["report"] for each in client.json(f"/api/v1/passes?report={row['id']}")} == {row["id"]}


def test_figures_devices_tasks_and_claims(client: Client) -> None:
    figures = client.json("/api/v1/figures?figure=latency_p50_s&backend=stack-0")
    assert len(figures) == 2
    assert all(each["low"] <= each["value"] <= each["high"] and each["unit"] == "s" for each in figures)
    (device,) = (each for each in client.json("/api/v1/devices") if each["id"] == "nvidia-a30")
    assert client.json("/api/v1/devices/nvidia-a30") == device
    assert "resnet50" in {each["id"] for each in client.json("/api/v1/tasks?domain=vision")}
    assert client.json("/api/v1/claims") == []


def test_what_is_not_known_is_told(client: Client) -> None:
    for path, status in (
        ("/api/v1/reports/000000000000", 404),
        ("/api/v1/devices/none", 404),
        ("/api/v1/reports?limit=-1", 400),
        ("/api/v1/reports?limit=x", 400),
        ("/api/v1/reports?colour=red", 400),
    ):
        found, body, _ = client.ask(path)
        assert found == status, path
        assert json.loads(body)["error"]


def test_the_description_has_every_address_and_each_answers(client: Client) -> None:
    told = client.json("/api/openapi.json")
    assert told["openapi"].startswith("3.")
    assert set(told["paths"]) == {f"/api/v1{route.path}" for route in api.ROUTES} | {"/api/v1/events"}
    for path, methods in told["paths"].items():
        if "{" in path or path.endswith("/events"):
            continue
        assert isinstance(client.json(path), list)
        for parameter in methods["get"]["parameters"]:
            value = "1" if parameter["name"] in ("limit", "offset") else "none"
            assert client.ask(f"{path}?{parameter['name']}={value}")[0] == 200


def test_another_name_for_this_machine_is_refused(client: Client) -> None:
    assert client.ask("/", headers={"Host": "evil.example"})[0] == 421
    assert client.ask("/", headers={"Host": "localhost:1"})[0] == 200


def test_nothing_is_taken_where_uploads_are_off(client: Client) -> None:
    assert client.upload(b"x")[0] == 404


def test_who_still_sends_can_read_why_it_is_refused(tmp_path: Path) -> None:
    """Closed at once, the connection would be reset under what is still on its way."""
    length, part = 10**6 + 1, 10**5
    head = f"POST /api/v1/bundles HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    with serving(tmp_path, uploads=True) as client:
        host, port = client.server.server_address[:2]
        with socket.create_connection((str(host), port), timeout=20) as connection:
            connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
            for start in range(0, length, part):
                connection.sendall(b"x" * min(part, length - start))
                time.sleep(0.01)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert answer.status == 413
            assert b"at most 1 MB" in answer.read()


def test_a_bundle_is_verified_and_added(tmp_path: Path) -> None:
    other = made.put(tmp_path / "other", made.report(backend="handed-in"))
    pack(other, tmp_path / "one.bundle")
    data = (tmp_path / "one.bundle").read_bytes()
    with serving(tmp_path, uploads=True) as client:
        assert client.upload(data, None)[0] == 401
        assert client.upload(data, "another")[0] == 401
        assert client.upload(b"x" * (10**6 + 1))[0] == 413
        for bad in (b"", b"nonsense", data[:-9], data[:200] + b"x" + data[201:]):
            status, told = client.upload(bad)
            assert status == 422
            assert str(tmp_path) not in told["error"]
        assert len(list((client.store / "reports").iterdir())) == 3
        assert client.upload(data) == (201, {"folder": other.name, "new": True})
        assert client.upload(data) == (200, {"folder": other.name, "new": False})


def test_pages_are_told_of_a_new_report(tmp_path: Path) -> None:
    with serving(tmp_path, poll_s=0.05) as client:
        connection = connected(client.server)
        connection.request("GET", "/api/v1/events")
        response = connection.getresponse()
        assert response.getheader("Content-Type") == "text/event-stream"
        made.put(client.store, made.report(backend="new"))
        assert response.readline() == b"event: reload\n"
        connection.close()
        assert len(client.json("/api/v1/reports")) == 4


def test_a_board_that_cannot_be_built_leaves_the_old_one(tmp_path: Path) -> None:
    store, _ = made.store(tmp_path)
    page = assets(tmp_path)
    with Live([store], Wish(), page, 60.0) as live:
        (page / "board.js").unlink()
        with pytest.raises(FileNotFoundError):
            live.rebuild()
        assert live.version == 1
        assert (live.folder / "board.js").is_file()
        scratch = live.folder.parent
    assert not scratch.exists()


def test_uploads_need_a_token_and_a_port_must_be_free(tmp_path: Path) -> None:
    with serving(tmp_path) as client:
        port = client.server.server_address[1]
        live = client.server.live
        with pytest.raises(UsageError, match="choose another"):
            Server(live, "127.0.0.1", port)
        with pytest.raises(UsageError, match="token"):
            Server(live, "127.0.0.1", 0, Quarantine(client.store))


def raw(client: Client) -> socket.socket:
    return socket.create_connection(("127.0.0.1", client.server.server_address[1]), timeout=20)


def said(client: Client, request: bytes) -> bytes:
    """All that the server answers to bytes that a well-meaning client would not send."""
    with raw(client) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def head(*lines: str, token: str = TOKEN) -> bytes:
    told = ("POST /api/v1/bundles HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", *lines, "", "")
    return "\r\n".join(told).encode()


def test_uploads_that_mean_harm_leave_nothing_behind(tmp_path: Path) -> None:
    with serving(tmp_path, uploads=True) as client:
        before = sorted(client.store.rglob("*"))
        for lines, status in (
            (("Content-Length: 100",), b"422"),
            (("Transfer-Encoding: chunked",), b"411"),
            (("Content-Length: -1",), b"411"),
            (("Content-Length: 1e3",), b"411"),
            (("Content-Length: 99999999999999999999999",), b"413"),
            (("Content-Length: 2000000", "Expect: 100-continue"), b"413"),
        ):
            assert said(client, head(*lines) + b"x" * 9).split()[1] == status, lines
        assert said(client, head("Content-Length: 9", "Expect: 100-continue", token="no")).split()[1] == b"401"
        assert said(client, head("Content-Length: 3", "Expect: 100-continue") + b"abc").startswith(b"HTTP/1.1 100")
        assert (
            said(client, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70000 + b"\r\n\r\n").split()[1] == b"431"
        )
        said(client, b"\x16\x03\x01 not http at all\r\n\r\n")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bomb:
            bomb.writestr("../../escaped.txt", "x")
            bomb.writestr("report.json", b"0" * 50_000_000)
        refused, told = client.upload(archive.getvalue())
        assert (refused, str(tmp_path) in told["error"]) == (422, False)
        assert sorted(client.store.rglob("*")) == before
        assert not list(tmp_path.rglob("escaped.txt"))
        assert len(client.json("/api/v1/reports")) == 3, "it goes on"


def test_one_upload_at_a_time(tmp_path: Path) -> None:
    with serving(tmp_path, uploads=True) as client, raw(client) as slow:
        slow.sendall(head("Content-Length: 100"))
        deadline = time.monotonic() + 10
        while client.server.quarantine is not None and not client.server.quarantine.busy:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        assert client.upload(b"x")[0] == 503
