"""A rule reruns when the meaning of its code changes, and only then."""

import pytest

from pipeline.code_reading import CodeError, read_module
from pipeline.code_version import code_version, everything_reached, part_of


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


def version(project, *words):
    for kept in (read_module, part_of, code_version):
        kept.cache_clear()
    return code_version(project / "script.py", project / "src", words)


def edit(path, old, new):
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new))


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
    edit(project / file, old, new)
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
    edit(project / file, old, new)
    assert version(project) != before


def test_the_order_of_a_scripts_statements_counts_and_so_do_repeats(tmp_path):
    (tmp_path / "src").mkdir()
    digests = set()
    for text in ("x = []\nx.sort()\nx.pop()\n", "x = []\nx.pop()\nx.sort()\n", "x = []\nx.pop()\nx.pop()\nx.sort()\n"):
        (tmp_path / "script.py").write_text(text)
        digests.add(version(tmp_path))
    assert len(digests) == 3


# Words: code that a script finds by the words of a config.


@pytest.fixture
def worded(tmp_path):
    """A script that finds a measure by its word, and two measures."""
    package = tmp_path / "src/kit"
    (package / "measures").mkdir(parents=True)
    for folder in (package, package / "measures"):
        (folder / "__init__.py").write_text("")
    (package / "vocabulary.py").write_text(
        "from importlib import import_module\n\n"
        'MEASURES: dict[str, str] = {"near": "measures.near:near"}\nOTHERS = {"far": "measures.far:far"}\n\n\n'
        'def find(word):\n    module, name = MEASURES[word].split(":")\n'
        "    return getattr(import_module(module), name)\n"
    )
    (package / "measures/near.py").write_text(
        "from kit.measures.far import far\n\n\ndef near():\n    return 1 / far()\n"
    )
    (package / "measures/far.py").write_text("def far():\n    return 2\n\n\ndef other():\n    return 3\n")
    (tmp_path / "script.py").write_text("from kit.vocabulary import MEASURES, find\n\nfind(word)() + len(MEASURES)\n")
    return tmp_path


def test_what_a_word_leads_to_counts_with_all_that_it_reaches(worded):
    before, bare = version(worded, "measures.near:near"), version(worded)
    edit(worded / "src/kit/measures/far.py", "return 2", "return 4")
    assert version(worded) == bare
    assert version(worded, "measures.near:near") not in (before, bare)
    after = version(worded, "measures.near:near")
    edit(worded / "src/kit/measures/far.py", "return 3", "return 4")
    assert version(worded, "measures.near:near") == after != version(worded, "measures.far:other")


def test_the_order_of_words_does_not_count_nor_do_repeats(worded):
    near, other = "measures.near:near", "measures.far:other"
    assert version(worded, near, other) == version(worded, other, near, other)
    assert len({version(worded), version(worded, near), version(worded, other), version(worded, near, other)}) == 4


@pytest.mark.parametrize(
    "word",
    ["measures.near:gone", "measures.gone:near", "measures.near", "measures.near:", "measures:near", ":near", ""],
)
def test_a_word_that_leads_nowhere_is_an_error_that_names_it(worded, word):
    (worded / "src/kit/measures/near.py").write_text("print()\n\n\ndef near():\n    return 1\n")
    with pytest.raises(CodeError, match=f'^"{word}" leads to no code below .*expected "module:name"'):
        version(worded, word)


def test_the_vocabulary_counts_but_for_its_tables(worded):
    path, words = worded / "src/kit/vocabulary.py", ["measures.near:near"]
    before = version(worded, *words)
    edit(path, '{"near"', '{"new": "measures.far:other", "near"')
    edit(path, 'OTHERS = {"far"', 'NEW = {}\nOTHERS = {"few": "measures.far:far", "far"')
    assert version(worded, *words) == before
    edit(path, "return getattr", "return 1 or getattr")
    assert version(worded, *words) != before


def test_dictionaries_count_in_every_other_module(worded):
    (worded / "src/kit/vocabulary.py").rename(worded / "src/kit/measures/vocabulary.py")
    edit(worded / "script.py", "kit.vocabulary", "kit.measures.vocabulary")
    before = version(worded)
    edit(worded / "src/kit/measures/vocabulary.py", '{"near"', '{"new": "measures.far:other", "near"')
    assert version(worded) != before


# Moves: the same code at another place.


def test_moving_code_to_another_module_changes_nothing(project):
    before = version(project)
    (project / "src/kit/inner/deeper.py").write_text("value = 1\n")
    (project / "src/kit/moved.py").write_text(
        "from kit.limits import LIMIT\n\n\ndef f():\n    from kit.inner.deeper import value\n\n"
        "    return value + LIMIT\n"
    )
    (project / "src/kit/limits.py").write_text("LIMIT, STEP = 1, 2\n")
    edit(project / "script.py", "kit.used", "kit.moved")
    for name in ("used", "deep"):
        (project / f"src/kit/{name}.py").unlink()
    assert version(project) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    from kit.deep import value\n\n", ""),
        ("    from kit.deep import value\n\n", "    import kit.deep\n    from kit.deep import value\n\n"),
        ("def unused", "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import os\n\n\ndef unused"),
    ],
)
def test_where_an_import_from_the_library_stands_does_not_count(project, old, new):
    path = project / "src/kit/used.py"
    before = version(project)
    edit(path, old, new)
    path.write_text("from kit.deep import value\n" + path.read_text())
    assert version(project) == before


def test_a_name_handed_on_by_an_import_is_followed_to_its_end(project):
    before = version(project)
    (project / "src/kit/used.py").rename(project / "src/kit/moved.py")
    (project / "src/kit/used.py").write_text("from kit.moved import f\n")
    assert version(project) == before
    edit(project / "src/kit/moved.py", "return value", "return -value")
    assert version(project) != before


def test_a_name_given_by_an_import_is_followed(project):
    edit(project / "script.py", "import f", "import f as g")
    edit(project / "script.py", "print(f()", "print(g()")
    before = version(project)
    edit(project / "src/kit/used.py", "return value", "return -value")
    assert version(project) != before


def test_local_names_lead_nowhere(project):
    """A variable may be called as something that happens to stand in the same file."""
    (project / "src/kit/used.py").write_text(
        "import os\n\nLIMIT, STEP = 1, 2\n\n\ndef f(value=LIMIT):\n    step = [unused for unused in value]\n"
        "    with step as (os, other):\n        return lambda unused: (value, unused, os, other)\n\n\n"
        "def value():\n    return 1\n\n\ndef unused():\n    return value()\n\n\nother = 1\n"
    )
    before = version(project)
    edit(project / "src/kit/used.py", "return 1", "return 2")
    edit(project / "src/kit/used.py", "other = 1", "other = 2")
    edit(project / "src/kit/used.py", "import os", "from kit import os")
    assert version(project) == before
    edit(project / "src/kit/used.py", "LIMIT, STEP = 1", "LIMIT, STEP = 2")
    assert version(project) != before


@pytest.mark.parametrize(
    "body",
    [
        "    [value for other in value]\n",
        "    [value for value in value]\n",
        "    def g(value):\n        pass\n    return value\n",
        "    global value\n    value = 2\n",
        "    return [value for x in y if [value for value in x]]\n",
        "    class C:\n        value = value\n",
    ],
)
def test_a_name_bound_in_a_part_alone_leads_on_from_the_others(project, body):
    path = project / "src/kit/used.py"
    path.write_text(f"value = 1\n\n\ndef f():\n{body}")
    before = version(project)
    edit(path, "value = 1\n", "value = 3\n")
    assert version(project) != before


# Links: which code a name leads to.


def pair(project, first, second):
    """Two modules with the same function over a constant each, told apart by their place alone."""
    for name, value in (("first", first), ("second", second)):
        (project / f"src/kit/{name}.py").write_text(
            f"VALUE = {value}\n\n\ndef inner():\n    return VALUE\n\n\ndef outer():\n    return inner()\n"
        )
    (project / "script.py").write_text(
        "from kit.first import outer as a\nfrom kit.second import outer as b\n\nprint(a() - b())\n"
    )
    return version(project)


def test_two_things_of_one_name_that_change_places_count_however_deep(project):
    assert pair(project, 1, 2) != pair(project, 2, 1)
    assert pair(project, 1, 1) not in (pair(project, 1, 2), pair(project, 2, 1))
    one = pair(project, 1, 1)
    edit(project / "script.py", "kit.second", "kit.first")
    assert version(project) == one


def test_functions_that_call_each_other_come_to_an_end(project):
    path = project / "src/kit/used.py"
    path.write_text("def f():\n    return g() or f()\n\n\ndef g():\n    return f() + h()\n\n\ndef h():\n    return 1\n")
    before = version(project)
    (project / "src/kit/deep.py").write_text(path.read_text().replace("def h", "from kit.used import h\n\n\ndef old"))
    edit(project / "script.py", "kit.used", "kit.deep")
    assert version(project) == before
    edit(path, "return 1", "return 2")
    assert version(project) != before


def test_imports_that_lead_in_a_circle_come_to_an_end(project):
    (project / "src/kit/used.py").write_text("from kit.deep import f\n")
    (project / "src/kit/deep.py").write_text("from kit.used import f\n")
    assert version(project)


def test_two_functions_may_import_one_name_from_two_modules(project):
    (project / "src/kit/used.py").write_text(
        "def f():\n    from kit.deep import value\n\n    return value\n\n\n"
        "def unused():\n    from kit.other import value\n\n    return value\n"
    )
    before = version(project)
    edit(project / "src/kit/other.py", "2", "3")
    assert version(project) == before
    edit(project / "src/kit/deep.py", "1", "3")
    assert version(project) != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("script.py", "import ceil", "import floor as ceil"),
        ("src/kit/used.py", "import scipy", "import numpy as scipy"),
        ("src/kit/used.py", "import timm.data", "import timm.layers"),
    ],
)
def test_what_other_packages_offer_counts_by_its_name(project, file, old, new):
    (project / "src/kit/used.py").write_text(
        "import scipy\n\n\ndef f():\n    import timm.data\n    return scipy.f(timm.data)\n"
    )
    edit(project / "script.py", "print(", "from math import ceil\n\nceil(")
    before = version(project)
    edit(project / file, old, new)
    assert version(project) != before


# What runs at the top of a module.


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("UNUSED = 7", "LIMIT += 1"),
        ("UNUSED = 7", "if STEP:\n    LIMIT = 9"),
        ("UNUSED = 7", "for LIMIT in (5, 6):\n    pass"),
        ("UNUSED = 7", "LIMIT.name = 3"),
        ("UNUSED = 7", "LIMIT[0] = 3"),
        ("UNUSED = 7", "try:\n    import scipy\nexcept ImportError:\n    scipy = None"),
    ],
)
def test_statements_with_an_effect_count(project, old, new):
    before = version(project)
    edit(project / "src/kit/used.py", old, new)
    assert version(project) != before


def test_effects_belong_to_their_module(project):
    digests = set()
    for first, second in (("append", "extend"), ("extend", "append")):
        pair(project, [], [])
        for name, method in (("first", first), ("second", second)):
            path = project / f"src/kit/{name}.py"
            path.write_text(path.read_text() + f"\n\nVALUE.{method}('')\n")
        digests.add(version(project))
    assert len(digests) == 2


def test_all_that_is_reached_is_told_with_its_imports(project):
    edit(project / "src/kit/used.py", "    from kit", "    import timm\n    from kit")
    version(project)
    reached = everything_reached(project / "script.py", project / "src")
    used = project / "src/kit/used.py"
    assert {name for path, name in reached if path == used} == {"f", "LIMIT"}
    assert [alias.name for node in reached[used, "f"][0].body for alias in getattr(node, "names", [])] == [
        "timm",
        "value",
    ]


# Code that cannot be read.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"x = 1\ndef f(:\n    pass\n", "used.py, line 2: invalid syntax; correct it, or take it back"),
        (b"def f():\n    pass\n\n\n  x = 1\n", "used.py, line 5: unindent does not match"),
        (b"x = '\xff'\n", "used.py, line 1: (unicode error)"),
        (b"x = 1\0\n", "used.py, line "),
    ],
)
def test_a_file_that_is_no_python_is_an_error_with_its_place(project, text, said):
    (project / "src/kit/used.py").write_bytes(text)
    with pytest.raises(CodeError) as error:
        version(project)
    assert f"{project / 'src/kit'}/{said}" in str(error.value)
    assert str(error.value).endswith("; correct it, or take it back")
