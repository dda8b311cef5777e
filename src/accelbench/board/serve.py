"""The server of a board: its files, the interface for programs, news of changes, and bundles that are handed in.

One thread per connection, of the standard library: a board has few readers, and its files do not change between two
boards. Requests for another host than the server's own are refused where it listens on this machine only, so that no
page from elsewhere reads it by a name of its own.
"""

from __future__ import annotations

import gzip
import hmac
import json
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from accelbench.board import api
from accelbench.board.build import PAGE
from accelbench.board.live import Live
from accelbench.board.upload import Busy, Quarantine
from accelbench.errors import AccelbenchError, UsageError

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
}
ROOMS = ("data", "data/reports")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
IDLE_S = 30.0
"""A connection that says nothing for so long is closed."""
PULSE_S = 15.0
LINGER_S = 5.0
MOST_LISTENERS = 64
PACK_BYTES, PACK_LEVEL = 2048, 5
NO_MORE: Mapping[str, str] = {}
NOTHING = "there is nothing here: /api/openapi.json tells what there is"


class Server(ThreadingHTTPServer):
    """Serves ``live`` at ``host`` and ``port`` (0: a free one). Bundles are taken where there is a ``quarantine``, from
    those who have the ``token``."""

    daemon_threads = True

    def __init__(
        self, live: Live, host: str, port: int, quarantine: Quarantine | None = None, token: str | None = None
    ) -> None:
        if quarantine is not None and not token:
            raise UsageError("uploads need a token")
        self.live, self.quarantine, self.token = live, quarantine, token
        self.listeners = threading.Semaphore(MOST_LISTENERS)
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as error:
            raise UsageError(f"cannot listen on {host}:{port} ({error}): choose another --host or --port") from None

    @property
    def url(self) -> str:
        """Where the board is."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"

    def is_own(self, host: str) -> bool:
        """Whether the Host of a request may be this server: any where others may reach it by names of theirs."""
        if not ip_address(str(self.server_address[0])).is_loopback:
            return True
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        return name.strip("[]").lower() in ("localhost", "127.0.0.1", "::1", str(self.server_address[0]))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that goes away is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "accelbench"
    sys_version = ""
    timeout = IDLE_S

    def do_GET(self) -> None:
        """A file of the board, or an answer for programs."""
        if not self._is_welcome():
            return
        address = urlsplit(self.path)
        path = unquote(address.path)
        try:
            if path == f"{api.PREFIX}/events":
                self._events()
            elif path == "/api/openapi.json":
                self._json(HTTPStatus.OK, api.openapi(self.server.quarantine is not None))
            elif path.startswith(f"{api.PREFIX}/"):
                query = parse_qs(address.query, keep_blank_values=True, max_num_fields=50)
                found = api.answer(self.server.live, path.removeprefix(api.PREFIX), query)
                self._no_such() if found is None else self._send(HTTPStatus.OK, found, ".json")
            else:
                self._file("index.html" if path == "/" else path.removeprefix("/"))
        except api.NotFound as error:
            self._json(HTTPStatus.NOT_FOUND, {"error": str(error)})
        except (UsageError, ValueError) as error:
            self._json(HTTPStatus.BAD_REQUEST, {"error": " ".join(str(error).split())})

    do_HEAD = do_GET  # noqa: N815 - named by the base class

    def do_POST(self) -> None:
        """A bundle, from one who has the token."""
        self.close_connection = True
        if self._is_welcome():
            refused = self._refusal()
            if refused:
                self._json(refused[0], {"error": refused[1]})
            elif self.server.quarantine is not None:
                self._upload(self.server.quarantine, int(self.headers["Content-Length"]))
                return
        self._linger()

    def handle_expect_100(self) -> bool:
        """Refuse before a body is sent, to those who ask."""
        if self._refusal() is None:
            return super().handle_expect_100()
        self.do_POST()
        return False

    def _refusal(self) -> tuple[HTTPStatus, str] | None:
        """Why an upload is not taken, by its head alone."""
        server, length = self.server, self.headers.get("Content-Length", "")
        if server.quarantine is None or urlsplit(self.path).path != f"{api.PREFIX}/bundles":
            return HTTPStatus.NOT_FOUND, NOTHING
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), f"Bearer {server.token}".encode()):
            return HTTPStatus.UNAUTHORIZED, "uploads need the server's token: Authorization: Bearer TOKEN"
        if not (length.isascii() and length.isdigit()):
            return HTTPStatus.LENGTH_REQUIRED, "an upload needs a Content-Length"
        if len(length) > 18 or int(length) > server.quarantine.most_bytes:
            most = f"a bundle has at most {server.quarantine.most_bytes / 1e6:g} MB here"
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, most
        return None

    def _upload(self, quarantine: Quarantine, length: int) -> None:
        try:
            added = quarantine.take(self.rfile, length)  # type: ignore[arg-type]
        except Busy as error:
            self._json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(error)})
            self._linger()
        except AccelbenchError as error:
            self._json(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": _without_paths(str(error))})
        else:
            status = HTTPStatus.CREATED if added.new else HTTPStatus.OK
            self._json(status, {"folder": added.folder.name, "new": added.new})

    def _linger(self) -> None:
        """Drop what the other side goes on to send, for a while: to close on it would reset the connection, and the
        answer might never be read."""
        end = time.monotonic() + LINGER_S
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while (left := end - time.monotonic()) > 0:
                self.connection.settimeout(left)
                if not self.connection.recv(1 << 16):
                    return

    def _is_welcome(self) -> bool:
        if self.server.is_own(self.headers.get("Host", "")):
            return True
        self.close_connection = True
        self._json(HTTPStatus.MISDIRECTED_REQUEST, {"error": "this server is not of that name"})
        return False

    def _file(self, name: str) -> None:
        room, _, last = name.rpartition("/")
        file = self.server.live.folder / name
        known = name in PAGE or (room in ROOMS and not last.startswith(".") and file.suffix in TYPES)
        if not known or ".." in last or not file.is_file():
            self._no_such()
            return
        told = file.stat()
        tag = f'"{told.st_mtime_ns:x}-{told.st_size:x}"'
        if tag in self.headers.get("If-None-Match", ""):
            self._head(HTTPStatus.NOT_MODIFIED, {"ETag": tag})
        else:
            self._send(HTTPStatus.OK, file.read_bytes(), file.suffix, {"ETag": tag})

    def _events(self) -> None:
        """News as server-sent events: an event `reload` when there is a new board."""
        if not self.server.listeners.acquire(blocking=False):
            self._json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "too many listen already"})
            return
        self.close_connection = True
        try:
            self.send_response(HTTPStatus.OK)
            for name, value in {**HEADERS, "Content-Type": "text/event-stream", "Connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            live = self.server.live
            version = live.version
            while not live.ended and self.command != "HEAD":
                news = live.wait(version, PULSE_S)
                self.wfile.write(b"event: reload\ndata: {}\n\n" if news and not live.ended else b": \n\n")
                self.wfile.flush()
                version = live.version
        finally:
            self.server.listeners.release()

    def _no_such(self) -> None:
        self._json(HTTPStatus.NOT_FOUND, {"error": NOTHING})

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What the base class refuses: other methods, and what is no request."""
        self.close_connection, self.request_version = True, self.protocol_version
        if code == HTTPStatus.NOT_IMPLEMENTED:
            methods = "GET, HEAD" if self.server.quarantine is None else "GET, HEAD, POST"
            self._json(HTTPStatus.METHOD_NOT_ALLOWED, {"error": f"this server knows {methods}"}, {"Allow": methods})
        else:
            self._json(HTTPStatus(code), {"error": message or HTTPStatus(code).phrase})

    def _json(self, status: HTTPStatus, value: Mapping[str, Any], more: Mapping[str, str] = NO_MORE) -> None:
        self._send(status, json.dumps(value, ensure_ascii=False).encode(), ".json", more)

    def _send(self, status: HTTPStatus, content: bytes, suffix: str, more: Mapping[str, str] = NO_MORE) -> None:
        headers = {**more, "Content-Type": TYPES[suffix]}
        if len(content) >= PACK_BYTES:
            headers["Vary"] = "Accept-Encoding"
            if _takes_gzip(self.headers.get("Accept-Encoding", "")):
                content = gzip.compress(content, PACK_LEVEL, mtime=0)
                headers["Content-Encoding"] = "gzip"
        self._head(status, {**headers, "Content-Length": str(len(content))})
        if self.command != "HEAD":
            self.wfile.write(content)

    def _head(self, status: HTTPStatus, more: Mapping[str, str]) -> None:
        self.send_response(status)
        closing = {"Connection": "close"} if self.close_connection else {}
        for name, value in {**HEADERS, **more, **closing}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
        """Nothing: who reads a board is nobody's business."""


def _takes_gzip(accepted: str) -> bool:
    """Whether a client's Accept-Encoding has gzip, and not with weight zero (RFC 9110, 12.5.3)."""
    for choice in accepted.lower().split(","):
        coding, _, weight = choice.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return weight.strip("0.") != "" or not weight
    return False


def _without_paths(text: str) -> str:
    """The text without folders of this machine."""
    return " ".join(Path(word).name if word.startswith("/") else word for word in text.split())
