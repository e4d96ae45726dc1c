import subprocess
import sys
from pathlib import Path

import pytest
import torch

from headstart.machine.memory import BATCHES_AT_ONCE, Sizes, fitting, free_memory, halved, sizes_on


def test_an_attempt_halves_the_images_then_the_initialisations_and_ends_where_nothing_is_left():
    assert halved(Sizes(64, 4), 1) == Sizes(64, 4)
    assert halved(Sizes(64, 4), 2) == Sizes(32, 4)
    assert halved(Sizes(64, 4), 3) == Sizes(32, 2)
    assert [halved(Sizes(64), attempt).at_once for attempt in (1, 2, 3, 4)] == [64, 32, 16, 8]
    assert halved(Sizes(7, 5), 99) == Sizes(2, 1)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_a_full_memory_is_explained_with_what_comes_next(error, capsys):
    with pytest.raises(MemoryError) as found, fitting(Sizes(64, 4), attempt=2) as sizes:
        assert sizes == Sizes(32, 4)
        raise error
    assert found.value.__cause__ is error
    assert "attempt 2: 32 images at once and 4 initialisations side by side instead of 64" in capsys.readouterr().out
    said = str(found.value)
    now = "32 images at once and 4 initialisations side by side"
    assert said.startswith(f"the GPU's memory is full with {now} ({str(error).partition('. ')[0]}). ")
    assert "The next attempt takes 32 images at once and 2 initialisations side by side and gives" in said
    assert "--retries" in said and "Tried" not in said


def test_where_nothing_is_left_to_halve_the_message_says_what_else_can_be_done():
    with (
        pytest.raises(MemoryError, match=r"full with 2 images at once .*nvidia-smi.*larger one$"),
        fitting(Sizes(2), 1),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_other_errors_and_the_first_attempt_pass_unchanged(capsys):
    with pytest.raises(RuntimeError, match="^shapes differ$"), fitting(Sizes(64, 4), 1):
        raise RuntimeError("shapes differ")
    assert capsys.readouterr().out == ""


PROJECT = Path(__file__).parents[2]
RULES = "".join(path.read_text() for path in (PROJECT / "workflow/rules").glob("*.smk"))


def test_jobs_that_ask_for_their_attempt_are_told_it():
    asking = [
        path.stem for path in (PROJECT / "workflow/scripts").glob("*.py") if "resources.attempt" in path.read_text()
    ]
    assert sorted(asking) == ["cache_batches", "cache_trunk", "embed_images", "export_model", "fine_tune"]
    for rule in asking:
        body = RULES.partition(f"rule {rule}:")[2].partition("script:")[0]
        assert "attempt=growing(1)," in body


def test_snakemake_counts_attempts_and_does_not_run_again_for_them(tmp_path):
    (tmp_path / "script.py").write_text(
        "from pathlib import Path\n"
        "assert snakemake.resources.attempt == 2, 'once more'\n"
        "Path(snakemake.output[0]).write_text(str(snakemake.resources.attempt))\n"
    )
    (tmp_path / "Snakefile").write_text(
        f"import sys\nsys.path.insert(0, {str(PROJECT / 'workflow')!r})\nfrom pipeline.attempts import growing\n"
        "rule:\n    output:\n        'out'\n"
        "    resources:\n        attempt=growing(1),\n    script:\n        'script.py'\n"
    )
    run = [sys.executable, "-m", "snakemake", "--cores", "1", "--retries", "1"]
    for said in ("once more", "Nothing to be done"):
        found = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)
        assert found.returncode == 0 and said in found.stdout + found.stderr, found.stderr
    assert (tmp_path / "out").read_text() == "2"


def test_a_gpu_takes_several_batches_at_once_until_an_attempt_takes_less():
    cpu, gpu = torch.device("cpu"), torch.device("cuda", 0)
    assert sizes_on(cpu, 16, 3) == Sizes(16, 3) and free_memory(cpu) == 0
    first = sizes_on(gpu, 16, 3)
    assert first == Sizes(16 * BATCHES_AT_ONCE, 3)
    assert [halved(first, attempt).at_once // 16 for attempt in (1, 2, 4, 6)] == [4, 2, 1, 0]
