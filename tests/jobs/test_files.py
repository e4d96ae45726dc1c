import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headstart.jobs.files import RESTED, replacing, write_table

LIBRARY = Path(__file__).parents[2] / "src"
# Writes a line into the temporary file of argv[1] and waits to be killed.
WRITER = """
import sys, time
from headstart.jobs.files import replacing
with replacing(sys.argv[1]) as partial:
    partial.write_text("half")
    print(partial.name, flush=True)
    time.sleep(600)
"""


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_final_file_appears_only_when_the_block_is_left(tmp_path):
    path = tmp_path / "new" / "numbers.txt"
    with replacing(path) as partial:
        partial.write_text("1 2 3")
        assert partial.parent == path.parent and partial.suffix == ".txt"
        assert not path.exists()
    assert path.read_text() == "1 2 3"
    assert listing(path.parent) == ["numbers.txt"]


def test_an_error_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="stop"), replacing(path) as partial:
        partial.write_text("half")
        raise RuntimeError("stop")
    assert path.read_text() == "old"
    assert listing(tmp_path) == ["numbers.txt"]


def test_an_interrupt_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "numbers.txt") as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert listing(tmp_path) == []


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="numbers"), replacing(tmp_path / "numbers.txt"):
        pass
    assert listing(tmp_path) == []


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "numbers.txt"
    with replacing(path) as first, replacing(path) as second:
        first.write_text("first")
        second.write_text("second")
        assert first != second
    assert path.read_text() == "first"  # the outer block ends last
    assert listing(tmp_path) == ["numbers.txt"]


@pytest.fixture
def writer(tmp_path):
    """Another process that has written half of a file, and the name of its temporary file."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "numbers.txt")],
        env=os.environ | {"PYTHONPATH": str(LIBRARY)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def write(path):
    with replacing(path) as partial:
        partial.write_text("whole")


def test_what_a_killed_writer_left_is_swept_by_the_next(tmp_path, writer):
    process, left = writer
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert listing(tmp_path) == [left]
    write(tmp_path / "other.txt")
    assert left in listing(tmp_path)
    write(tmp_path / "numbers.txt")
    assert listing(tmp_path) == ["numbers.txt", "other.txt"]


def test_what_another_process_is_still_writing_is_left_alone(tmp_path, writer):
    write(tmp_path / "numbers.txt")
    assert listing(tmp_path) == sorted([writer[1], "numbers.txt"])


def test_only_temporary_files_of_the_same_name_are_swept(tmp_path):
    swept = [".a+b.c-0123456789ab.partial.txt"]
    kept = [
        *(".a+b.d-0123456789ab.partial.txt", ".a+b.c-0123456789ab.partial.csv", ".a+b.c-1-0123456789ab.partial.txt"),
        *(".aab.c-0123456789ab.partial.txt", "a+b.c-0123456789ab.partial.txt", ".a+b.c-mine.partial.txt", "a+b.c.part"),
    ]
    for name in swept + kept:
        (tmp_path / name).touch()
    write(tmp_path / "a+b.c.txt")
    assert listing(tmp_path) == sorted([*kept, "a+b.c.txt"])


def test_what_another_machine_left_is_swept_when_it_has_rested(tmp_path):
    left = tmp_path / ".numbers-01234567-1-89abcdef.partial.txt"
    left.touch()
    write(tmp_path / "numbers.txt")
    assert left.exists()
    long_ago = time.time() - RESTED - 1
    os.utime(left, (long_ago, long_ago))
    write(tmp_path / "numbers.txt")
    assert listing(tmp_path) == ["numbers.txt"]


def test_the_file_has_the_mode_of_any_new_file(tmp_path):
    with replacing(tmp_path / "numbers.txt") as partial:
        partial.write_text("1")
    (tmp_path / "plain.txt").write_text("1")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_csv_floats_come_back_with_the_same_bits(tmp_path):
    values = [0.1, 1 / 3, 2 / 3, 1e-17, np.nextafter(1.0, 2.0), -0.0, float("nan")]
    values += np.random.default_rng(0).random(1000).tolist()
    frame = pd.DataFrame({"name": ["a, b", 'c"d', "", "é"] + ["e"] * (len(values) - 4), "value": values})
    write_table(frame, tmp_path / "table.csv")
    back = pd.read_csv(tmp_path / "table.csv", keep_default_na=False, na_values={"value": [""]})
    assert back["value"].to_numpy().tobytes() == np.array(values).tobytes()
    assert back["name"].tolist() == frame["name"].tolist()


def test_csv_has_no_index_and_plain_line_ends(tmp_path):
    write_table(pd.DataFrame({"wnid": ["n1"], "f1": [0.5]}, index=[7]), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == b"wnid,f1\nn1,0.5\n"


def test_parquet_keeps_the_index_and_the_types(tmp_path):
    frame = pd.DataFrame({"n1": [0.25, 1 / 3]}, index=pd.Index(["n2", "n3"], name="wnid"))
    write_table(frame, tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table.parquet"), frame, check_exact=True)


def test_another_suffix_is_refused_with_the_valid_ones(tmp_path):
    with pytest.raises(ValueError, match=r"'\.xlsx'; use \.csv or \.parquet"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "table.xlsx")
    assert listing(tmp_path) == []
