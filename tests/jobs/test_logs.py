"""A job's words reach its log and the terminal; of an error the terminal gets the message, the log the trace."""

import subprocess
import sys
from pathlib import Path

from headstart.jobs.logs import Slowly

SOURCE = Path(__file__).parents[2] / "src"


def run(code: str, log: Path) -> subprocess.CompletedProcess:
    start = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r})\nfrom headstart.jobs.logs import follow\nfollow({str(log)!r})"
    )
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


def test_progress_is_a_line_now_and_then_and_its_end_is_told(tmp_path):
    code = "from tqdm import tqdm\nfor _ in tqdm(range(500), desc='steps', mininterval=0): pass\nprint('done')"
    terminal = run(code, tmp_path / "log").stderr
    for text in (terminal, (tmp_path / "log").read_text()):
        assert "\r" not in text
        first, last, done = text.splitlines()
        assert first.startswith("steps:   0%") and last.startswith("steps: 100%") and "500/500" in last
        assert done == "done"


def test_progress_comes_again_when_it_is_due():
    class Stream(list):
        write = list.append

        def flush(self):
            pass

    stream = Stream()
    slowly = Slowly(stream, seconds=0)
    for text in ("begun", " well\n", "\r 1/9", "\r 2/9", "\n", "end\n"):
        slowly.write(text)
    assert stream == ["begun well\n", " 1/9\n", " 2/9\n", "end\n"]
