"""When a run has failed, its last lines say which job, why, and what to do."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.failure import AGAIN, CURES, failing_words
from pipeline.last_words import FIRST, LAST, WIDTH, failures_in, last_error

LIBRARY = str(Path(__file__).parents[2] / "src")
SNAKEMAKE = """Execute 1 jobs...
RuleException:
CalledProcessError in file "training.smk", line 67:
Command 'set -euo pipefail; python fine_tune.py' {ended}.
[Sat Nov 28 00:20:02 2026]
Error in rule fine_tune:
    message: None
    jobid: 0
    output: a.parquet
    log: {log} (check log file(s) for error details)
Shutting down, this might take some time.
"""


@pytest.mark.parametrize(
    ("ended", "words", "told"),
    [
        (
            "returned non-zero exit status 1",
            "Traceback:\n  x\nValueError: few\n",
            ["fine_tune: ValueError: few"],
        ),
        ("died with <Signals.SIGKILL: 9>", "device cpu\n", ["without a word", "fewer --cores"]),
        ("returned non-zero exit status 1", "OSError: [Errno 28] No space left on device\n", ["The disk is full"]),
        ("returned non-zero exit status 1", "MemoryError: the GPU's memory is full with 64 ...\n", ["--retries 5"]),
        ("died with <Signals.SIGSEGV: 11>", "", ["own (died with <Signals.SIGSEGV: 11>)"]),
        ("died with <Signals.SIGBUS: 7>", "ValueError: one\n", ["fine_tune: ValueError: one\n    (died with <Sig"]),
        ("returned non-zero exit status 3", "step 5\n", ["own (returned non-zero exit status 3)"]),
        # What SystemExit says.
        ("returned non-zero exit status 1", "step 5\n\nstopped; go on\n", ["fine_tune: stopped; go on\n"]),
        ("returned non-zero exit status 1", "\n", ["own (returned non-zero exit status 1)"]),
        (
            "returned non-zero exit status 1",
            "Traceback (most recent call last):\n  File x\nModuleNotFoundError: No module named 'timm.data'\n",
            ["The package `timm` is not installed", "`make .venv/ready`", "--sdm conda"],
        ),
        (
            "returned non-zero exit status 1",
            "ModuleNotFoundError: No module named 'headstart.heads.start'\n",
            ["does not fit together at `headstart.heads.start`"],
        ),
        (
            "returned non-zero exit status 1",
            "ImportError: cannot import name 'f' from partially initialized module 'headstart.a' (most likely ...)\n",
            ["does not fit together at `headstart.a`"],
        ),
        (
            "returned non-zero exit status 1",
            "ImportError: cannot import name 'f' from 'timm.data' (/x/timm/data/__init__.py)\n",
            ["The package `timm` is installed in another version"],
        ),
        (
            "returned non-zero exit status 1",
            "ImportError: libGL.so.1: cannot open shared object file: No such file or directory\n",
            ["The file `libGL.so.1`, which a package needs"],
        ),
        (
            "returned non-zero exit status 1",
            'Traceback (most recent call last):\n  File "/a.py", line 3, in <module>\n    import b\n'
            '  File "/c d/b.py", line 7\n    def f(:\n          ^\nSyntaxError: invalid syntax\n',
            ["fine_tune: SyntaxError: invalid syntax\n", "\n/c d/b.py, line 7, is no Python."],
        ),
        (
            "returned non-zero exit status 1",
            "PermissionError: [Errno 13] Permission denied: 'x'\n",
            ["may not be written"],
        ),
    ],
)
def test_a_failed_job_is_named_with_its_error_and_a_cure(tmp_path, ended, words, told):
    log, run = tmp_path / "a job.log", tmp_path / "run.log"
    log.write_text(words)
    run.write_text(SNAKEMAKE.format(ended=ended, log=log))
    said = failing_words([run])
    for part in [*told, f"log: {log}", AGAIN]:
        assert part in said
    others = {cure for cure in CURES.values() if cure not in said}
    assert len(others) >= len(CURES) - 1


def test_no_log_is_no_second_failure(tmp_path):
    assert AGAIN in failing_words([tmp_path / "none"])
    (tmp_path / "run.log").write_text(SNAKEMAKE.format(ended="died", log="gone.log"))
    assert "fine_tune: it ended without a word of its own" in failing_words([tmp_path / "run.log"])


TRACE = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n    f()\n    ^^^\n'


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (f"step 1\n{TRACE}KeyError: 'a'\n", "KeyError: 'a'"),
        (f"{TRACE}headstart.data.splits.TooFewImages: 3\n", "headstart.data.splits.TooFewImages: 3"),
        (f"{TRACE}StopIteration\n", "StopIteration"),
        (f"{TRACE}zipfile.BadZipFile: no zip\n", "zipfile.BadZipFile: no zip"),
        (f"{TRACE}TooFew: these:\n  n01  4\n\nfetch them\n", "TooFew: these:\n  n01  4\n\nfetch them"),
        (f"{TRACE}A: 1\n\nDuring handling of the above ..., another ...:\n\n{TRACE}B: 2\n", "B: 2"),
        (f"{TRACE}A: 1\nretried\n{TRACE}B: 2\n", "B: 2"),
        (
            "  + Exception Group Traceback (most recent call last):\n  |   File x\n  | ExceptionGroup: two (2 ...)\n"
            "  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File y\n"
            "    | Thing: a\n",
            "ExceptionGroup: two (2 ...)\n  +-+---------------- 1 ----------------\n"
            "    | Traceback (most recent call last):\n    |   File y\n    | Thing: a",
        ),
        ("step 1\nOSError: disk\nstep 2\n", "OSError: disk"),
        (f"{TRACE}A: 1\n  two\nException ignored in: <g at 0x>\n{TRACE}BrokenPipeError: 32\n", "A: 1\n  two"),
        (f"{TRACE}A: 1\nException ignored in sys.unraisablehook: <f>\n", "A: 1"),
        (f"Exception ignored in: <g>\n{TRACE}StopIteration\nstep 2\n{TRACE}A: 1\n\n  two\n", "A: 1\n\n  two"),
        (f"{TRACE}A: \n  first\n", "A: \n  first"),
        (f"{TRACE}A\n", "A"),
        ("Traceback (most recent call last):\n  File x\n", ""),
        ("step 1\n", ""),
        ("", ""),
    ],
)
def test_the_error_at_the_end_of_a_log_is_found_whatever_its_class(words, error):
    assert last_error(words) == error


def test_a_long_message_is_shown_without_its_middle():
    lines = ["E: " + "x" * 2 * WIDTH, *map(str, range(100))]
    found = last_error(TRACE + "\n".join(lines) + "\n").splitlines()
    assert len(found) == FIRST + LAST + 1 and found[-1] == "99" and found[FIRST] == "..."
    assert found[0].endswith("x ...") and len(found[0]) < WIDTH + 10


def test_messages_of_several_lines_are_indented(tmp_path):
    log, run = tmp_path / "job.log", tmp_path / "run.log"
    log.write_text(f"{TRACE}TooFew: these:\n  n01  4\n\nfetch them\n")
    run.write_text(SNAKEMAKE.format(ended="returned non-zero exit status 1", log=log))
    assert f"- fine_tune: TooFew: these:\n      n01  4\n\n    fetch them\n  log: {log}\n" in failing_words([run])


RAISING = {
    "TooFewImages": (
        "too_few({'n01': 1, 'n02': 0}, train=1, test_min=1)",
        "TooFewImages: too few images in 2 classes:\n    wnid  wanted  found\n"
        "     n01       2      1\n     n02       2      0\n"
        "    wanted = images.train + images.test_min: lower one",
    ),
    "KeyError": ("'n01'", "KeyError: 'n01'\n"),
    "KeyboardInterrupt": ("", "KeyboardInterrupt\n"),
    "StopIteration": ("", "StopIteration\n"),
    "Plain": ("'no\\n\\nfetch it'", "Plain: no\n\n    fetch it\n"),
    "BaseException": ("'base'", "BaseException: base\n"),
    "SystemExit": ("'stopped;\\ngo on'", "stopped;\n    go on\n"),
}


@pytest.mark.parametrize("name", RAISING)
def test_no_class_of_errors_falls_through_from_a_job_to_the_closing_words(tmp_path, name):
    argument, said = RAISING[name]
    log, run = tmp_path / "audit.log", tmp_path / "run.log"
    code = (
        f"from headstart.jobs.logs import follow\nfollow({str(log)!r})\n"
        f"from headstart.data.splits import TooFewImages, too_few\nclass Plain(Exception): pass\n"
        f"print('step 1\\n')\nraise {name}({argument})\n"
    )
    job = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": LIBRARY}, capture_output=True)
    assert job.returncode in (1, -signal.SIGINT)
    run.write_text(SNAKEMAKE.format(ended="returned non-zero exit status 1", log=log))
    words = failing_words([run])
    assert said in words and "without a word" not in words


def test_jobs_side_by_side_are_told_apart():
    """The two messages about one job may have others between them; where this is a module, rules have a prefix."""
    first, second = SNAKEMAKE.split("[")[0], "[" + SNAKEMAKE.split("[")[1]
    text = first.format(ended="died with <Signals.SIGKILL: 9>")
    text += first.format(ended="returned non-zero exit status 2").replace("fine_tune.py", "embed_images.py")
    text += second.format(log="a.log").replace("fine_tune", "ours_fine_tune")
    text += second.format(log="b.log").replace("fine_tune", "embed_images")
    assert [(failure.name, failure.words.partition("(")[2]) for failure in failures_in(text)] == [
        ("ours_fine_tune", "died with <Signals.SIGKILL: 9>)"),
        ("embed_images", "returned non-zero exit status 2)"),
    ]


def test_further_attempts_of_a_job_are_told_once_or_not_at_all_if_one_succeeded():
    text = SNAKEMAKE.format(ended="returned non-zero exit status 2", log="a.log")
    assert len(failures_in(text + "Trying to restart job 0.\n" + text)) == 1
    other = SNAKEMAKE.format(ended="died", log="b.log").replace("jobid: 0", "jobid: 1")
    done = "[Sat Nov 28 00:20:02 2026]\nFinished jobid: 0 (Rule: fine_tune)\n"
    assert [failure.logs for failure in failures_in(text + done + other)] == [["b.log"]]


def test_of_a_batch_the_members_with_an_error_are_told(tmp_path):
    log = tmp_path / "b.log"
    text = (
        "    message: SLURM-job '7' failed, SLURM status is: 'OUT_OF_MEMORY'.\n    log: slurm.log (check ...)\n"
        "    jobs:\n"
        "        rule decode_images:\n            jobid: 1\n            log: a.log (check log file(s) ...)\n"
        f"        rule decode_images:\n            jobid: 2\n            log: {log} (check log file(s) ...)\n"
    )
    assert [failure.words for failure in failures_in(text)] == [
        "it ended without a word of its own (SLURM-job '7' failed, SLURM status is: 'OUT_OF_MEMORY'.)"
    ] * 2
    log.write_text("ValueError: no image\n")
    assert [(failure.words, failure.logs) for failure in failures_in(text)] == [("ValueError: no image", [str(log)])]


BUG = (
    "BUG: Out of jobs ready to be started, but not all files built yet. Please check https://x for more information.\n"
    "Remaining jobs:\n - mid: mid.txt"
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BUG, ["- snakemake: BUG: Out of jobs", "\n     - mid: mid.txt\n", "name the last one alone"]),
        ("WorkflowError:\nFailed to open x.\n[Sat Nov", ["- snakemake: WorkflowError:\n    Failed to open x.\nThen"]),
        (
            'MissingOutputException in rule embed in file "/a/Snakefile", line 20:\nJob 5  is done, but\nx.txt (no)\n',
            ["- embed: MissingOutputException:\n    Job 5  is done, but\n    x.txt (no)\nFiles came late"],
        ),
        ("Terminating processes on user request, this might ...\n", ["- snakemake: it was stopped\n", "by Ctrl-C"]),
        ("Exiting because a job execution failed. Look above for error messages", ["it ended without saying why"]),
        ("", ["- snakemake: it ended without saying why"]),
    ],
)
def test_where_no_job_failed_snakemakes_own_words_are_told(tmp_path, text, told):
    (tmp_path / "run.log").write_text("Building DAG of jobs...\n" + text)
    said = failing_words([tmp_path / "run.log"])
    for part in [*told, AGAIN]:
        assert part in said


def test_each_cure_is_told_once(tmp_path):
    texts = []
    for name, error in (
        ("a", "No space left on device"),
        ("b", "No module named 'x'"),
        ("c", "No space left on device"),
    ):
        (tmp_path / f"{name}.log").write_text(f"OSError: {error}\n")
        texts.append(SNAKEMAKE.format(ended="returned non-zero exit status 1", log=tmp_path / f"{name}.log"))
    (tmp_path / "run.log").write_text("".join(texts))
    said = failing_words([tmp_path / "run.log"])
    assert said.count("The disk is full") == said.count("The package `x`") == 1
