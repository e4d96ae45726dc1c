"""Results say which commit, versions and times are behind them."""

import subprocess

from headstart.jobs.provenance import commit, times, versions


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_commit_is_marked_when_files_differ_from_it(tmp_path):
    assert commit(tmp_path) == "unknown"
    git(tmp_path, "init")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    clean = commit(tmp_path)
    assert len(clean) == 40
    (tmp_path / "file").write_text("2")
    assert commit(tmp_path) == f"{clean}-dirty"


def test_times_are_summed_per_rule(tmp_path):
    (tmp_path / "tune/main").mkdir(parents=True)
    head = "s\th:m:s\tmax_rss\n"
    (tmp_path / "embed.tsv").write_text(head + "4.5\t0:00:04\t300\n")
    (tmp_path / "tune/main/1-0.tsv").write_text(head + "1.25\t0:00:01\t100\n")
    (tmp_path / "tune/main/2-0.tsv").write_text(head + "2\t0:00:02\t-\n")
    assert times(tmp_path) == {
        "embed": {"jobs": 1.0, "seconds": 4.5, "max_rss_mb": 300.0},
        "tune": {"jobs": 2.0, "seconds": 3.25, "max_rss_mb": 100.0},
    }
    assert times(tmp_path / "nothing") == {}


def test_versions_name_what_is_installed_and_what_is_not():
    found = versions(["numpy", "no-such-package"])
    assert found["no-such-package"] == "absent" and found["numpy"][0].isdigit()
