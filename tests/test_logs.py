"""A job's words reach its log and the terminal; of an error the terminal gets the message, the log the trace."""

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"


def run(code: str, log: Path) -> subprocess.CompletedProcess:
    start = f"import sys; sys.path.insert(0, {str(SOURCE)!r})\nfrom headstart.logs import follow\nfollow({str(log)!r})"
    program = f"{start}\n{code}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_print_and_logging_reach_both(tmp_path):
    ours, other = "logging.getLogger('headstart.x').info('noted')", "logging.getLogger('y').info('left out')"
    code = f"import logging\nprint('said')\n{ours}\n{other}"
    terminal = run(code, tmp_path / "log").stderr
    assert terminal.split() == ["said", "noted"]
    assert (tmp_path / "log").read_text() == terminal


def test_an_error_is_told_in_one_line_and_traced_in_the_log(tmp_path):
    ended = run("raise ValueError('expected 3, got 4; count again')", tmp_path / "log")
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines()[0] == "ValueError: expected 3, got 4; count again"
    assert "Traceback" not in ended.stderr and str(tmp_path / "log") in ended.stderr
    assert "Traceback" in (tmp_path / "log").read_text()
