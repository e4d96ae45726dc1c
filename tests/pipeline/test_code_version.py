"""A rule reruns when the meaning of its code changes, and only then."""

import pytest

from pipeline.code_version import code_version, read_module


@pytest.fixture
def project(tmp_path):
    package = tmp_path / "src/kit"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "used.py").write_text(
        '"""Doc."""\n\n\nLIMIT, STEP = 1, 2\nUNUSED = 7\n\n\n'
        'def f():\n    """Doc."""\n    from kit.deep import value\n\n'
        "    return value + LIMIT\n\n\ndef unused():\n    return 8\n"
    )
    (package / "deep.py").write_text("value = 1\n")
    (package / "other.py").write_text("value = 2\n")
    (package / "inner/__init__.py").write_text("choice = 1\n")
    (package / "inner/part.py").write_text('part = 1\nSTYLE = "page.css"\n')
    (package / "inner/page.css").write_text("p { color: red }\n")
    (package / "inner/other.css").write_text("p { color: red }\n")
    script = tmp_path / "script.py"
    script.write_text("from kit.used import f\nfrom kit.inner import choice, part\n\nprint(f(), choice, part.part)\n")
    return tmp_path


def version(project):
    read_module.cache_clear()
    return code_version(project / "script.py", project / "src")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("script.py", "f(), ", "f(),  # why\n"),
        ("src/kit/used.py", "Doc.", "Other words."),
        ("src/kit/used.py", "return value", "\n    # why\n    return  (value)"),
        ("src/kit/used.py", "return 8", "return 9"),
        ("src/kit/used.py", "UNUSED = 7", "UNUSED = 8"),
        ("src/kit/other.py", "2", "3"),
        ("src/kit/inner/other.css", "red", "blue"),
    ],
)
def test_comments_docstrings_layout_and_strangers_do_not_count(project, file, old, new):
    before = version(project)
    path = project / file
    path.write_text(path.read_text().replace(old, new))
    assert version(project) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("script.py", "f()", "f() + 1"),
        ("src/kit/used.py", "return value", "return -value"),
        ("src/kit/used.py", "LIMIT, STEP = 1", "LIMIT, STEP = 3"),
        ("src/kit/used.py", "def unused", "print()\n\n\ndef unused"),
        ("src/kit/deep.py", "1", "2"),
        ("src/kit/inner/__init__.py", "1", "2"),
        ("src/kit/inner/part.py", "1", "2"),
        ("src/kit/inner/page.css", "red", "blue"),
    ],
)
def test_logic_counts_however_indirectly_imported(project, file, old, new):
    before = version(project)
    path = project / file
    path.write_text(path.read_text().replace(old, new))
    assert version(project) != before


def test_the_order_of_a_scripts_statements_counts_and_so_do_repeats(tmp_path):
    digests = set()
    for text in ("x = []\nx.sort()\nx.pop()\n", "x = []\nx.pop()\nx.sort()\n", "x = []\nx.pop()\nx.pop()\nx.sort()\n"):
        (tmp_path / "script.py").write_text(text)
        read_module.cache_clear()
        digests.add(code_version(tmp_path / "script.py", tmp_path))
    assert len(digests) == 3
