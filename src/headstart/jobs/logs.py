"""Let what a job says reach both its log file and the terminal, without a flood of progress."""

import logging
import re
import sys
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import TextIO


class Slowly:
    """A text stream that writes a line of progress at most once in a while, however often it is drawn anew."""

    def __init__(self, stream: TextIO, seconds: float = 60.0) -> None:
        """Write to this stream; progress is what follows a carriage return."""
        self.stream, self.seconds = stream, seconds
        self.line, self.progress, self.due = "", False, 0.0

    def write(self, text: str) -> int:
        """Write whole lines, and of progress what is due."""
        for part in re.split("([\r\n])", text):
            if part == "\r":
                self.line, self.progress = "", True
            elif part == "\n":
                self._write_line()
                self.progress = False
            else:
                self.line += part
        if self.progress and time.monotonic() >= self.due:
            self._write_line()
            self.due = time.monotonic() + self.seconds
        return len(text)

    def _write_line(self) -> None:
        if self.line or not self.progress:
            self.stream.write(self.line + "\n")
        self.line = ""

    def flush(self) -> None:
        """Flush the stream; an unfinished line waits for its end."""
        self.stream.flush()

    def isatty(self) -> bool:
        """Say that this is no terminal."""
        return False


class Tee:
    """A text stream that writes everything to several others."""

    def __init__(self, *streams: "TextIO | Slowly") -> None:
        """Write to these streams, the terminal first."""
        self.streams = streams

    def write(self, text: str) -> int:
        """Write the text to every stream."""
        for stream in self.streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush every stream."""
        for stream in self.streams:
            stream.flush()

    def isatty(self) -> bool:
        """Say whether the first stream is a terminal."""
        return self.streams[0].isatty()


def follow(path: str | Path) -> None:
    """Copy all that this process prints to a log file; of an error, the terminal gets the message alone.

    Args:
        path: the log file, replaced if it is there.
    """
    log = open(path, "w", buffering=1)  # noqa: SIM115 (open as long as the process lives)
    terminal = sys.stderr if sys.stderr.isatty() else Slowly(sys.stderr)
    sys.stdout = sys.stderr = tee = Tee(terminal, Slowly(log))
    logging.basicConfig(format="%(message)s", stream=tee, force=True)
    logging.getLogger("headstart").setLevel(logging.INFO)

    def explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        traceback.print_exception(kind, error, trace, file=log)
        print(f"\n{kind.__name__}: {error}\n(the whole trace is in {path})", file=terminal)

    sys.excepthook = explain
