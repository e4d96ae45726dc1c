"""Bring one file from another machine, and go on where a broken connection left off."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from headstart.data.tars import WEB
from headstart.fetching.manifest import safe_url
from headstart.jobs.files import replacing

# Seconds between attempts; an attempt that brought new bytes starts again from the first.
WAITS = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
LONGEST_WAIT = 120.0  # that a server may ask for
TIMEOUT = (20, 60)  # seconds to connect, and between two pieces
PIECE = 2**18  # bytes
LATER = (408, 425, 429, 500, 502, 503, 504)
REFUSED = (401, 403)
GONE = (404, 410)


class DownloadError(RuntimeError):
    """A file cannot be had; the text says what was expected, what came and what to do."""


class NotOffered(DownloadError):
    """The server has no such file."""


class _Broken(Exception):
    """An attempt failed in a way that another one may not; `wait` is what the server asks for, seconds."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


def download(url: str, part: Path, advice: str = "", waits: Sequence[float] = WAITS) -> None:
    """Fetch the whole file behind `url` into `part`, from where an earlier attempt or job has left it.

    Beside `part`, `<part>.json` remembers what it is a part of; another URL, or a file that has changed, starts over.

    Args:
        advice: what to do, at the end of every error.
        waits: seconds before the second, third, ... attempt; growing.

    Raises:
        NotOffered: the server answers 404 or 410.
        DownloadError: it refuses, sends a web page instead, is not encrypted, or does not answer after all attempts.
    """
    failures = 0
    with _session() as session:
        while True:
            before = _size(part)
            try:
                return _attempt(session, url, part, advice)
            except _Broken as error:
                failures = 1 if _size(part) > before else failures + 1
                if failures > len(waits):
                    tried = f"{failures} attempts in a row brought nothing, the last: {error}"
                    raise DownloadError(f"{url}: {tried}; run the same command again to go on. {advice}") from error
                wait = max(waits[failures - 1], error.wait)
                print(f"{part.stem}: {error}; going on from byte {_size(part):,} in {wait:g} s")
                time.sleep(wait)


def discard(part: Path) -> None:
    """Take away what attempts have left."""
    part.unlink(missing_ok=True)
    _memory(part).unlink(missing_ok=True)


class _LoopbackOnly(HTTPAdapter):
    """What serves `http://`: redirects come through here, too."""

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Refuse any other machine before a byte is sent to it."""
        if not safe_url(str(request.url)):
            raise DownloadError(
                f"{request.url} is not encrypted, so nobody vouches for what comes; expected https. Fetch the file "
                "by hand, check it, and put it in place"
            )
        return super().send(request, *arguments, **options)


def _session() -> requests.Session:
    session = requests.Session()
    session.mount("http://", _LoopbackOnly())
    return session


def _attempt(session: requests.Session, url: str, part: Path, advice: str) -> None:
    have, mark = _so_far(part, url)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": mark} if mark else {})
    try:
        with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            start, total = _judge(answer, have, part, advice)
            if start != total:
                _remember(part, url, answer)
                _write(answer, part, start, total, advice)
    except requests.exceptions.SSLError as error:
        raise DownloadError(f"{url}: no encrypted connection that can be trusted ({error}). {advice}") from error
    except (requests.ConnectionError, requests.Timeout, HTTPError) as error:
        raise _Broken(f"the connection broke ({type(error).__name__})") from error
    except requests.RequestException as error:
        raise DownloadError(f"{url}: {error}. {advice}") from error


def _judge(answer: requests.Response, have: int, part: Path, advice: str) -> tuple[int, int | None]:
    """Return at which byte the answer's body begins, and how long the whole file is, if that is said."""
    status, url = answer.status_code, answer.url
    if status in REFUSED:
        raise DownloadError(f"{url}: the server refuses ({status}), it wants to know who asks. {advice}")
    if status in GONE:
        raise NotOffered(f"{url}: the server has no such file ({status}). {advice}")
    if status in LATER:
        raise _Broken(f"the server answers {status}", _asked_wait(answer))
    if status == 416:
        if _numbers(answer)[1] == have:
            return have, have
        discard(part)
        raise _Broken("what was fetched before is longer than the file is now")
    if status == 206 and _numbers(answer)[0] == have:
        return have, _numbers(answer)[1]
    if status != 200:
        raise DownloadError(f"{url}: expected the file (200, or 206 for a part), the server answers {status}. {advice}")
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        raise _web_page(url, advice)
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _write(answer: requests.Response, part: Path, start: int, total: int | None, advice: str) -> None:
    shown = {"desc": part.stem, "unit": "B", "unit_scale": True, "mininterval": 5}
    with part.open("ab") as file, tqdm(total=total, initial=start, **shown) as progress:
        file.truncate(start)
        # Not `iter_content`, which loses what came of a piece when the connection breaks within it.
        for piece in iter(partial(answer.raw.read1, PIECE), b""):
            if start == 0 and file.tell() == 0 and piece.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(WEB):
                raise _web_page(answer.url, advice)
            file.write(piece)
            progress.update(len(piece))
    if total is not None and _size(part) != total:
        raise _Broken(f"the body ended after {_size(part):,} of {total:,} bytes")


def _web_page(url: str, advice: str) -> DownloadError:
    return DownloadError(f"{url}: a web page came in place of the file, probably one to log in. {advice}")


def _numbers(answer: requests.Response) -> tuple[int | None, int | None]:
    """Return first byte and whole length of a Content-Range such as `bytes 5-9/10` or `bytes */10`."""
    found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", answer.headers.get("Content-Range", ""))
    first, whole = found.groups() if found else (None, None)
    return (int(first) if first else None), (int(whole) if whole and whole != "*" else None)


def _asked_wait(answer: requests.Response) -> float:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_WAIT) if asked.isdigit() else 0.0


def _memory(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _so_far(part: Path, url: str) -> tuple[int, str]:
    """Return how many bytes of this file are there, and the server's mark of its version, "" for none."""
    memory: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError):
        memory = json.loads(_memory(part).read_text())
    return (_size(part), memory.get("mark", "")) if memory.get("url") == url else (0, "")


def _remember(part: Path, url: str, answer: requests.Response) -> None:
    tag = answer.headers.get("ETag", "")
    # A weak tag says only that two versions mean the same, not that their bytes are equal.
    mark = answer.headers.get("Last-Modified", "") if tag.startswith("W/") or not tag else tag
    with replacing(_memory(part)) as new:
        new.write_text(json.dumps({"url": url, "mark": mark}))


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
