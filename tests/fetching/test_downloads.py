"""Files from elsewhere arrive whole and right, or not at all and with a reason."""

import hashlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import torchvision

from file_server import FileServer, Manner
from headstart.fetching.downloads import DownloadError, NotOffered, fetch, fetch_tar, place, read_lock
from headstart.fetching.manifest import read_manifest, safe_url

PROJECT = Path(__file__).parents[2]
BODY = random.Random(0).randbytes(600_000)
OTHER = random.Random(1).randbytes(600_000)
SHA = hashlib.sha256(BODY).hexdigest()
PAGE = b"<!DOCTYPE html><html>Please sign in</html>"
FAST = (0.0, 0.0, 0.0)


def get(folder: Path, server: FileServer, path: str = "a.tar", tar: bool = False, **options) -> Path:
    function = fetch_tar if tar else fetch
    return function(
        f"{server.url}/{path}", folder / path, folder / "lock.tsv", advice="Do so.", **{"waits": FAST, **options}
    )


def nothing_bad(folder: Path, path: str = "a.tar") -> bool:
    return not (folder / path).exists()


def test_a_file_comes_whole_and_is_recorded(tmp_path):
    with FileServer({"a.tar": BODY}) as server:
        assert get(tmp_path, server, sha256=SHA) == tmp_path / "a.tar"
    assert (tmp_path / "a.tar").read_bytes() == BODY
    assert read_lock(tmp_path / "lock.tsv") == {
        "a.tar": {"name": "a.tar", "sha256": SHA, "bytes": "600000", "url": f"{server.url}/a.tar"}
    }
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar", "lock.tsv", ".a.tar.guard", ".lock.tsv.guard"}


def test_a_broken_connection_goes_on_where_it_was(tmp_path):
    with FileServer({"a.tar": BODY}, {"a.tar": Manner(breaks=[300_000, 1000])}) as server:
        get(tmp_path, server, sha256=SHA)
    assert (tmp_path / "a.tar").read_bytes() == BODY
    asked = [part for _, part in server.requests]
    assert asked[0] == "" and all(part.startswith("bytes=") for part in asked[1:]) and len(asked) == 3


def test_a_server_that_knows_no_parts_starts_over(tmp_path):
    with FileServer({"a.tar": BODY}, {"a.tar": Manner(breaks=[300_000], ranges=False)}) as server:
        get(tmp_path, server, sha256=SHA)
    assert (tmp_path / "a.tar").read_bytes() == BODY and len(server.requests) == 2


@pytest.mark.parametrize("tagged", [True, False])
def test_a_file_that_changes_between_two_attempts_is_never_glued(tmp_path, tagged):
    manner = Manner(breaks=[300_000], versions=[OTHER, BODY], tagged=tagged)
    with FileServer({"a.tar": BODY}, {"a.tar": manner}) as server:
        get(tmp_path, server, sha256=SHA)
    assert (tmp_path / "a.tar").read_bytes() == BODY


def test_attempts_that_bring_something_are_not_counted(tmp_path):
    with FileServer({"a.tar": BODY}, {"a.tar": Manner(breaks=[50_000] * 9)}) as server:
        get(tmp_path, server)
    assert (tmp_path / "a.tar").read_bytes() == BODY and len(server.requests) == 10


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_busy_server_is_asked_again(tmp_path, status):
    with FileServer({"a.tar": BODY}, {"a.tar": Manner(statuses=[(status, {})] * 3)}) as server:
        get(tmp_path, server)
    assert (tmp_path / "a.tar").read_bytes() == BODY and len(server.requests) == 4


def test_a_server_that_stays_busy_is_given_up_with_the_last_reason(tmp_path):
    said = r"4 attempts in a row brought nothing.*answers 500.*Do so\."
    manner = Manner(statuses=[(500, {})] * 9)
    with FileServer({"a.tar": BODY}, {"a.tar": manner}) as server, pytest.raises(DownloadError, match=said):
        get(tmp_path, server)
    assert len(server.requests) == 4 and nothing_bad(tmp_path)


def test_the_server_may_ask_for_a_longer_wait(tmp_path):
    start = time.monotonic()
    with FileServer({"a.tar": BODY}, {"a.tar": Manner(statuses=[(429, {"Retry-After": "1"})])}) as server:
        get(tmp_path, server)
    assert time.monotonic() - start >= 1


def test_waits_grow(tmp_path, monkeypatch):
    slept = []
    monkeypatch.setattr("headstart.fetching.transfer.time.sleep", slept.append)
    with FileServer({}, {"a.tar": Manner(statuses=[(500, {})] * 9)}) as server, pytest.raises(DownloadError):
        get(tmp_path, server, waits=(1.0, 2.0, 5.0))
    assert slept == [1.0, 2.0, 5.0]


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        (Manner(statuses=[(403, {})]), r"refuses \(403\), it wants to know who asks\. Do so\."),
        (Manner(statuses=[(401, {})]), r"refuses \(401\)"),
        (Manner(statuses=[(400, {})]), r"expected the file .* answers 400\. Do so\."),
        (Manner(versions=[PAGE], kind="text/html; charset=utf-8"), r"a web page came .*log in\. Do so\."),
        (Manner(versions=[b"\n  " + PAGE]), r"a web page came"),
    ],
)
def test_what_another_attempt_cannot_mend_is_explained_at_once(tmp_path, manner, said):
    with FileServer({"a.tar": BODY}, {"a.tar": manner}) as server, pytest.raises(DownloadError, match=said):
        get(tmp_path, server)
    assert len(server.requests) == 1 and nothing_bad(tmp_path)


def test_a_synset_behind_a_login_is_an_error_and_no_class_without_images(tmp_path):
    manners = {"a.tar": Manner(versions=[PAGE]), "b.tar": Manner(statuses=[(403, {})])}
    with FileServer({"b.tar": BODY}, manners) as server:
        for path in ("a.tar", "b.tar"):
            with pytest.raises(DownloadError, match=r"Do so\."):
                get(tmp_path, server, path, tar=True)


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_not_there_is_not_offered(tmp_path, status):
    with (
        FileServer({}, {"a.tar": Manner(statuses=[(status, {})])}) as server,
        pytest.raises(NotOffered, match=rf"no such file \({status}\)\. Do so\."),
    ):
        get(tmp_path, server)
    assert len(server.requests) == 1 and nothing_bad(tmp_path)


def test_a_synset_that_is_not_offered_is_an_empty_tar_and_asked_for_again(tmp_path, capsys):
    with FileServer({}) as server:
        found = get(tmp_path, server, tar=True)
    with tarfile.open(found) as tar_found:
        assert tar_found.getmembers() == [] and nothing_bad(tmp_path)
    assert "NOT OFFERED" in capsys.readouterr().out and read_lock(tmp_path / "lock.tsv") == {}
    with FileServer({"a.tar": BODY}) as server:
        assert get(tmp_path, server, tar=True) == tmp_path / "a.tar"


def test_a_body_that_is_cut_short_is_not_taken_for_the_whole(tmp_path):
    with (
        FileServer({"a.tar": BODY}, {"a.tar": Manner(declared=700_000, ranges=False)}) as server,
        pytest.raises(DownloadError, match="attempts in a row"),
    ):
        get(tmp_path, server)
    assert nothing_bad(tmp_path)


def test_a_wrong_body_is_fetched_once_more_and_then_refused_with_both_digests(tmp_path):
    with (
        FileServer({"a.tar": OTHER}) as server,
        pytest.raises(DownloadError, match=rf"expected sha256 {SHA}, got [0-9a-f]{{64}} \(600,000 bytes\)"),
    ):
        get(tmp_path, server, sha256=SHA)
    assert len(server.requests) == 2 and [path.name for path in tmp_path.iterdir()] == [".a.tar.guard"]


def test_the_first_digits_of_a_digest_are_enough(tmp_path):
    with FileServer({"a.tar": BODY, "b.tar": BODY}) as server:
        get(tmp_path, server, sha256=SHA[:8])
        with pytest.raises(DownloadError, match="expected sha256 00000000"):
            get(tmp_path, server, "b.tar", sha256="00000000")


def test_a_later_file_must_match_the_first(tmp_path):
    with FileServer({"a.tar": BODY}) as server:
        get(tmp_path, server)
    (tmp_path / "a.tar").unlink()
    with (
        FileServer({"a.tar": OTHER}) as server,
        pytest.raises(DownloadError, match=r"as the first time.*take the line of a.tar out of .*lock\.tsv"),
    ):
        get(tmp_path, server)
    assert nothing_bad(tmp_path)


def test_a_file_put_there_by_hand_is_verified_and_used_without_a_request(tmp_path):
    (tmp_path / "a.tar").write_bytes(BODY)
    with FileServer({}) as server:
        assert get(tmp_path, server, sha256=SHA) == tmp_path / "a.tar"
        (tmp_path / "b.tar").write_bytes(OTHER)
        with pytest.raises(DownloadError, match="left as it is: move it away"):
            get(tmp_path, server, "b.tar", sha256=SHA)
    assert server.requests == [] and (tmp_path / "b.tar").read_bytes() == OTHER
    assert list(read_lock(tmp_path / "lock.tsv")) == ["a.tar"]


def test_a_path_on_this_machine_is_verified_and_used_where_it_is(tmp_path):
    (tmp_path / "mine").write_bytes(BODY)
    lock = tmp_path / "lock.tsv"
    assert fetch(str(tmp_path / "mine"), tmp_path / "a.tar", lock, sha256=SHA) == tmp_path / "mine"
    with pytest.raises(DownloadError, match="no such file here"):
        fetch(str(tmp_path / "yours"), tmp_path / "a.tar", lock)
    with pytest.raises(DownloadError, match="expected sha256 ffffffff"):
        fetch(str(tmp_path / "mine"), tmp_path / "c.tar", lock, sha256="ffffffff")


def test_redirects_are_followed_but_never_to_an_unencrypted_server(tmp_path):
    manners = {
        "a.tar": Manner(redirect="/elsewhere.tar"),
        "b.tar": Manner(redirect="http://example.org/b.tar"),
    }
    with FileServer({"elsewhere.tar": BODY}, manners) as server:
        get(tmp_path, server, sha256=SHA)
        with pytest.raises(DownloadError, match=r"http://example\.org/b\.tar is not encrypted"):
            get(tmp_path, server, "b.tar")
    with pytest.raises(DownloadError, match="not encrypted"):
        fetch("http://example.org/a", tmp_path / "c", tmp_path / "lock.tsv", waits=FAST)
    assert not safe_url("ftp://example.org/a") and not safe_url("http://127.0.0.1.example.org/a")


def test_a_server_that_cannot_be_reached_is_said_so(tmp_path):
    with FileServer({}) as server:
        pass
    with pytest.raises(DownloadError, match=r"the connection broke \(ConnectionError\)"):
        get(tmp_path, server)


def test_a_killed_fetch_goes_on_where_it_was(tmp_path):
    class Slow(dict):
        def get(self, path):
            return BODY

    with FileServer(Slow(), {"a.tar": Manner(breaks=[400_000])}) as server:
        code = (
            "import sys; from pathlib import Path; f = Path(sys.argv[2]);"
            "from headstart.fetching.downloads import fetch;"
            "fetch(sys.argv[1], f / 'a.tar', f / 'lock.tsv', waits=(60.0,))"
        )
        environment = os.environ | {"PYTHONPATH": str(PROJECT / "src")}
        job = subprocess.Popen([sys.executable, "-c", code, f"{server.url}/a.tar", str(tmp_path)], env=environment)
        part, until = tmp_path / "a.tar.part", time.time() + 20
        while time.time() < until and (not part.exists() or part.stat().st_size < 200_000):
            time.sleep(0.02)
        time.sleep(0.2)
        os.kill(job.pid, signal.SIGKILL)
        job.wait()
        left = part.stat().st_size
        assert 0 < left < len(BODY) and nothing_bad(tmp_path)
        get(tmp_path, server, sha256=SHA)
    assert server.requests[-1] == ("a.tar", f"bytes={left}-") and (tmp_path / "a.tar").read_bytes() == BODY


def test_two_jobs_that_want_one_file_do_not_write_it_together(tmp_path):
    with FileServer({"a.tar": BODY}, {"a.tar": Manner(breaks=[300_000])}) as server:
        start = multiprocessing.get_context("fork").Process
        jobs = [start(target=get, args=(tmp_path, server), kwargs={"waits": (0.3,)}) for _ in range(2)]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
        assert [job.exitcode for job in jobs] == [0, 0]
    assert [part for _, part in server.requests] == ["", "bytes=300000-"]  # the second job asked for nothing
    assert (tmp_path / "a.tar").read_bytes() == BODY


def test_a_server_without_a_trusted_encryption_is_refused_at_once(tmp_path):
    with FileServer({"a.tar": BODY}) as server, pytest.raises(DownloadError) as caught:
        fetch(server.url.replace("http:", "https:") + "/a.tar", tmp_path / "a.tar", tmp_path / "lock.tsv", waits=FAST)
    assert "no encrypted connection that can be trusted" in str(caught.value) and nothing_bad(tmp_path)


def test_parallel_fetches_lose_no_line_of_the_lock(tmp_path):
    names = [f"{k}.tar" for k in range(12)]
    with FileServer({name: BODY[k:] for k, name in enumerate(names)}) as server:
        jobs = [multiprocessing.get_context("fork").Process(target=get, args=(tmp_path, server, n)) for n in names]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
    assert sorted(read_lock(tmp_path / "lock.tsv")) == sorted(names)


def test_a_placed_file_is_a_link_and_survives_its_removal(tmp_path, monkeypatch):
    (tmp_path / "kept").write_bytes(BODY)
    place(tmp_path / "kept", tmp_path / "new/output")
    assert os.path.samefile(tmp_path / "kept", tmp_path / "new/output")
    (tmp_path / "new/output").unlink()
    assert (tmp_path / "kept").read_bytes() == BODY

    def refuse(*_):
        raise OSError("another disk")

    monkeypatch.setattr("headstart.fetching.downloads.os.link", refuse)
    place(tmp_path / "kept", tmp_path / "new/output")
    assert (tmp_path / "new/output").is_symlink() and (tmp_path / "new/output").read_bytes() == BODY


def test_shipped_manifest_names_the_weights_of_2019_and_each_file_once():
    remotes = read_manifest(PROJECT / "config/downloads.tsv")
    weights, meta = remotes["resnet101-63fe2227.pth"], torchvision.models.ResNet101_Weights.IMAGENET1K_V1
    assert weights.url == meta.url and weights.sha256 == meta.url.split("-")[-1].removesuffix(".pth")
    assert round(weights.bytes / 2**20, 3) == meta.meta["_file_size"]
    assert all(safe_url(remote.url) and remote.purpose and remote.terms for remote in remotes.values())
    assert len({remote.url for remote in remotes.values()}) == len(remotes)


def test_manifest_has_the_digests_of_the_authors_lists():
    data = Path(os.environ.get("HEADSTART_DATA", PROJECT.parent / "shared/data")) / "paper"
    if not data.exists():
        pytest.skip("the authors' lists are not there; their digests are in the manifest")
    remotes = read_manifest(PROJECT / "config/downloads.tsv")
    for name in ("train.txt", "test.txt"):
        content = (data / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (remotes[name].sha256, remotes[name].bytes)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a\tu\t\t\tp", "columns"),
        ("a\tu\txyz\t\tp\tt", "a has the digest 'xyz'"),
        ("a\tu\t\tbig\tp\tt", "a has the size 'big'"),
        ("a\tu\t\t\tp\tt\na\tu\t\t\tp\tt", "a comes twice"),
    ],
)
def test_a_faulty_manifest_is_refused_by_line(tmp_path, line, said):
    head = "name\turl\tsha256\tbytes\tpurpose" + ("" if said == "columns" else "\tterms")
    (tmp_path / "m.tsv").write_text(f"{head}\n{line}\n")
    with pytest.raises(ValueError, match=said):
        read_manifest(tmp_path / "m.tsv")
