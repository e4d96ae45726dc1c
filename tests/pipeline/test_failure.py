"""When a run has failed, its last lines say which job, why, and what to do."""

import pytest

from pipeline.failure import AGAIN, CURES, failing_words

SNAKEMAKE = """Execute 1 jobs...
CalledProcessError in file "training.smk", line 67:
Command 'set -euo pipefail; python fine_tune.py' {ended}.
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
