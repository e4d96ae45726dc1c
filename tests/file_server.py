"""A file server on this machine that misbehaves on request; for the tests of downloads, and for the rehearsal."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Manner:
    """How one path is served.

    Args:
        statuses: answered first, one request each, with headers; then the file.
        breaks: lengths of body after which the connection breaks, one request each.
        ranges: whether a part can be asked for.
        versions: contents of later requests, one each; the last one stays.
        declared: Content-Length to claim, if not the true one.
        kind: Content-Type.
        redirect: where to go instead.
    """

    statuses: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    versions: list[bytes] = field(default_factory=list)
    declared: int | None = None
    kind: str = "application/octet-stream"
    redirect: str | None = None
    tagged: bool = True


class FileServer:
    """Serves files on loopback; a context manager. `requests` lists (path, Range) of everything that was asked for.

    Args:
        files: path without its slash -> bytes, or a function that gives bytes, or None for a file that is not there.
        manners: path -> how it is served; others are served well.
        port: 0 takes a free one.
    """

    def __init__(
        self,
        files: Mapping[str, bytes] | Callable[[str], bytes | None],
        manners: Mapping[str, Manner] | None = None,
        port: int = 0,
    ) -> None:
        self.find = files if callable(files) else files.get
        self.manners = manners or {}
        self.requests: list[tuple[str, str]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> "FileServer":
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                path = self.path.lstrip("/")
                outer.requests.append((path, self.headers.get("Range", "")))
                answer(self, outer.find(path), outer.manners.get(path, Manner()))

        return Handler


def answer(request: BaseHTTPRequestHandler, content: bytes | None, manner: Manner) -> None:
    """Answer one request in the manner of its path."""
    if manner.statuses:
        status, headers = manner.statuses.pop(0)
        return send(request, status, b"", headers)
    if manner.redirect:
        return send(request, 302, b"", {"Location": manner.redirect})
    if manner.versions:
        content = manner.versions.pop(0) if len(manner.versions) > 1 else manner.versions[0]
    if content is None:
        return send(request, 404, b"no such file")
    tag = f'"{hash(content)}"'
    headers = {"Content-Type": manner.kind} | ({"ETag": tag} if manner.tagged else {})
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
    start = int(asked[1]) if asked and manner.ranges and request.headers.get("If-Range", tag) == tag else 0
    if start >= len(content) > 0 and start:
        return send(request, 416, b"", {"Content-Range": f"bytes */{len(content)}"})
    if start:
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
    cut = manner.breaks.pop(0) if manner.breaks else None
    send(request, 206 if start else 200, content[start:], headers, cut, manner.declared)


def send(
    request: BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    cut: int | None = None,
    declared: int | None = None,
) -> None:
    """Send an answer, or only `cut` bytes of its body."""
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body) if declared is None else declared))
    request.end_headers()
    request.wfile.write(body if cut is None else body[:cut])
    if cut is not None or declared is not None:
        request.wfile.flush()
        request.close_connection = True
