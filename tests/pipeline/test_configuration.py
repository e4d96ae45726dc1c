"""The config is refused before any job, with key, value and cure."""

import copy
import itertools
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from headstart.machine.computing import PRECISIONS
from headstart.measures.metrics import READINGS
from headstart.vocabulary import PLAIN, STRATEGIES, all_starts
from pipeline.config import reference as config_reference
from pipeline.config.contradictions import ConfigError, read_wnids
from pipeline.config.loading import load_config, look_up
from pipeline.config.pictures import in_tars, require_source_tars, source_tars
from pipeline.config.schema import read_schema
from pipeline.experiment import Experiment

PROJECT = Path(__file__).parents[2]
SCHEMA = read_schema(PROJECT)
MINIMAL = yaml.safe_load((PROJECT / "config/minimal.yaml").read_text())
PAPER = yaml.safe_load((PROJECT / "config/paper.yaml").read_text())


def changed(key: str, value: Any, config: dict[str, Any] = MINIMAL) -> dict[str, Any]:
    config = copy.deepcopy(config)
    *way, last = key.split(".")
    place = config
    for part in way:
        place = place.setdefault(part, {})
    place[last] = value
    return config


def load(config: dict[str, Any]) -> dict[str, Any]:
    return load_config(config, PROJECT)


@pytest.mark.parametrize("name", ["config", "minimal", "paper", "rehearsal", "rehearsal_full", "extended_shapes"])
def test_shipped_configs_are_accepted(name):
    path = PROJECT / "config" / f"{name}.yaml"
    config = load_config(yaml.safe_load(path.read_text()), PROJECT, [path])
    assert config["training"]["dropout"] == 0.75  # filled in from the schema


def test_photos_config_is_accepted_where_its_data_is(monkeypatch, tmp_path):
    data = tmp_path
    for folder in ("source", "wordvectors/gloss200", "ilsvrc_samples"):
        (data / folder).mkdir(parents=True)
    (data / "source/mobilenetv2_100_same_imagenet1k.safetensors").touch()
    (data / "synsets").mkdir()
    for wnid in read_wnids(str(PROJECT / "config/targets/photos.tsv")):
        (data / f"synsets/{wnid}.tar").touch()
    monkeypatch.setenv("HEADSTART_DATA", str(data))
    for name in ("photos", "extended"):
        config = load(yaml.safe_load((PROJECT / f"config/{name}.yaml").read_text()))
        assert config["images"]["tars"] == f"{data}/synsets/{{wnid}}.tar"
    gone = data / "synsets/n03147509.tar"
    gone.unlink()
    photos = yaml.safe_load((PROJECT / "config/photos.yaml").read_text()) | {"experiment": "never_run"}
    with pytest.raises(ConfigError, match=rf"images\.tars: no file for 1 of 56 target classes \({gone}\)"):
        load(photos)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("sedes", [0], ["sedes: unknown key", "did you mean 'seeds'"]),
        ("images.shortside", 3, ["images.shortside: unknown key", "'short_side'"]),
        ("training.rate", 1, ["training.rate: unknown key", "learning_rate"]),
        ("training.steps", -3, ["training.steps", "-3 is less than the minimum"]),
        ("groups.main.shots", [-1], ["groups.main.shots.0", "-1 is less than the minimum"]),
        ("groups.main.shots", [5], ["groups.main.shots: 5 images", "images.train is 4", "raise images.train"]),
        ("neighbours.shots", 9, ["neighbours.shots: 9", "images.train is 4"]),
        ("neighbours.largest", 7, ["neighbours.largest: K = 7", "only 6 source classes", "use at most 6"]),
        ("neighbours.further", [40], ["neighbours.further: K = 40", "only 6 source classes"]),
        ("groups.curves.initialisations", ["wordnet-k7"], ["wordnet-k7: K = 7", "only 6 source classes"]),
        ("groups.main.initialisations", ["inferense"], ["'inferense' does not match"]),
        ("inference.reading", "hard", ["inference.reading", "'hard' is not one of ['argmax', 'soft', 'threshold']"]),
        ("heads.bias", "half", ["heads.bias", "'half' is not one of ['combined', 'zero']"]),
        ("classes.targets", "no/such.tsv", ["classes.targets: 'no/such.tsv' is not there", "correct the path"]),
        ("classes.information_content", "ic.dat", ["classes.information_content: 'ic.dat' is not there"]),
        ("source.weights", "{data}/none.pth", ["source.weights", "none.pth", "HEADSTART_DATA"]),
        ("training.trained_from", "layer5", ["training.trained_from", "no block 'layer5'", "layer4, global_pool, fc"]),
        ("training.trained_from", "blocks.5", ["no block 'blocks.5' to train from; valid are conv1"]),
        ("images.crop", 40, ["images.crop: 40", "images.short_side = 36"]),
        ("images.test_min", 4, ["images.test_min: 4", "images.test = 3"]),
        ("images.drawn", None, ["images.tars: null", "source.weights: null", "wordvectors.path: null"]),
        ("source.training.held_out", 8, ["source.training.held_out: 8", "images.drawn.source = 8"]),
        ("tables.group", "mian", ["tables.group: 'mian'", "curves, main"]),
        ("figures.shots", 1, ["figures.shots: 1", "groups.curves.shots [4]"]),
        ("tables.examples", ["n00000001"], ["tables.examples: n00000001 is none of the 4 target classes"]),
        ("tables.examples", [], ["tables.examples: empty"]),
        ("experiment", "My own", ["experiment", "'My own' does not match"]),
    ],
)
def test_a_faulty_config_is_refused_with_key_value_and_cure(key, value, said):
    with pytest.raises(ConfigError) as refused:
        load(changed(key, value))
    for text in said:
        assert text in str(refused.value)


def test_all_faults_are_listed_at_once():
    config = changed("training.steps", 0, changed("heads.bias", "half"))
    with pytest.raises(ConfigError, match=r"(?s)(heads\.bias.*training\.steps|training\.steps.*heads\.bias)"):
        load(config)


def test_experiments_without_any_similarity_are_refused():
    config = changed("groups.curves.initialisations", ["imprinted"], changed("groups.main.initialisations", ["random"]))
    with pytest.raises(ConfigError, match="no group starts from inference, wordnet, word2vec"):
        load(config)


def test_two_experiments_writing_to_one_place_are_refused(tmp_path):
    mine, other = tmp_path / "mine.yaml", tmp_path / "other.yaml"
    mine.write_text("experiment: birds")
    other.write_text("experiment: birds")
    config = changed("experiment", "birds")
    with pytest.raises(ConfigError, match=r"experiment: 'birds' is also the experiment of .*other\.yaml"):
        load_config(config, PROJECT, [mine])
    other.write_text("experiment: bees")
    assert load_config(config, PROJECT, [mine])["experiment"] == "birds"


def test_a_copy_of_a_shipped_config_must_be_renamed(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text((PROJECT / "config/minimal.yaml").read_text())
    with pytest.raises(ConfigError, match=r"config/minimal\.yaml"):
        load_config(MINIMAL, PROJECT, [mine])


def test_what_is_no_config_beside_the_configs_is_passed_over(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("experiment: birds")
    (tmp_path / "._mine.yaml").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X\xff")
    (tmp_path / ".mine.yaml").write_text("experiment: birds")  # an editor's copy
    (tmp_path / ".#mine.yaml").symlink_to("me@host.4711:1")
    (tmp_path / "gone.yaml").symlink_to("gone")
    (tmp_path / "round.yaml").symlink_to("round.yaml")
    (tmp_path / "same.yaml").symlink_to("mine.yaml")
    (tmp_path / "old.yaml").mkdir()
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    (tmp_path / "utf32.yaml").write_text("experiment: birds", encoding="utf-32")
    (tmp_path / "dated.yaml").write_text("day: 2026-13-45\nexperiment: bees")
    (tmp_path / "nested.yaml").write_text("[" * 5000)
    (tmp_path / "list.yaml").write_text("[experiment, birds]")
    (tmp_path / "tagged.yaml").write_text("!!python/object:os.system {}")
    (tmp_path / "empty.yaml").touch()
    os.mkfifo(tmp_path / "pipe.yaml")
    assert load_config(changed("experiment", "birds"), PROJECT, [mine])["experiment"] == "birds"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_a_config_of_another_encoding_is_a_namesake_all_the_same(tmp_path, encoding):
    mine, other = tmp_path / "mine.yaml", tmp_path / "other.yaml"
    mine.write_text("experiment: birds")
    other.write_text("# V\xf6gel\nexperiment: birds", encoding=encoding)
    with pytest.raises(ConfigError, match=r"experiment: 'birds' is also the experiment of .*other\.yaml"):
        load_config(changed("experiment", "birds"), PROJECT, [mine])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wnid\nn13879320 \n", r"expected one wnid such as n02084071 per line, got 'n13879320 '"),
        ("wnid\n", "got no line"),
        ("wnid,type\nn13879320,inclusive\n", "columns separated by tabs"),
        ("wnid\nn13881644\n", r"classes\.targets: n13881644 are source classes too"),
    ],
)
def test_a_faulty_class_list_is_refused(tmp_path, text, said):
    path = tmp_path / "list.tsv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load(changed("classes.targets", str(path)))


TABLES = {
    "classes.targets": "wnid\ttype\nn13879320\tinclusive\n",
    "classes.sources": "wnid\nn13881644\nn13881645\n",
    "classes.taxonomy": (PROJECT / "config/taxonomy/shapes.tsv").read_text(),
    "classes.information_content": "wnver::eOS9lXC6GvMWznF1wkZofDdtbBU\n1740n 1915712 ROOT\n",
    "downloads.manifest": (PROJECT / "config/downloads.tsv").read_text(),
    "images.lists.train": "n13879320_1.JPEG\n",
    "images.lists.test": "n13879320_2.JPEG\n",
}
ENCODINGS = {
    "utf-16": "got UTF-16 (line 1); save it as UTF-8 (iconv -f UTF-16 -t UTF-8 OLD > NEW)",
    "utf-16-le": "got bytes of zero as in UTF-16; save it",
    "utf-32": "got UTF-32 (line 1); save it",
    "latin-1": "got Latin-1 or the like (line 2); save it as UTF-8 (iconv -f Latin-1 -t UTF-8 OLD > NEW)",
    "cp1252": "got Latin-1 or the like (line 2)",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("key", TABLES)
def test_a_table_of_another_encoding_is_named_with_the_cure(tmp_path, key, encoding):
    path = tmp_path / "table.tsv"
    first, rest = TABLES[key].split("\n", 1)
    word = "" if encoding == "utf-16-le" else "V\xf6gel"
    path.write_text(f"{first}\n{word}{rest}", encoding=encoding)
    config = changed(key, str(path))
    if key.startswith("images.lists"):
        config["images"]["lists"] = {"train": str(path), "test": str(path)}
    with pytest.raises(ConfigError) as refused:
        load(config)
    assert f"{path}: expected text in UTF-8, {ENCODINGS[encoding]}" in str(refused.value)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"PK\x03\x04\xff", "got a packed file, such as a spreadsheet (line 1); unpack it, or save the sheet as text"),
        (b"PK\x03\x04\x00", "got bytes of zero as in a packed file, such as a spreadsheet; unpack it"),
        (b"\x1f\x8b\x08\x00", "got a file packed by gzip"),
        (b"wnid\nn13879320\tinclusive\n", "line 2: expected as many columns as the first line names (wnid), got 2"),
        (b"wnid\ttype\nn13879320\ta\t\n", "line 2: expected as many columns as the first line names (wnid, type)"),
        (b"wnid\twnid\nn13879320\tn13879320\n", "two columns are called 'wnid'; keep one"),
        (b"type\twnid\ninclusive\n", "expected one wnid such as n02084071 per line, got ''"),
        (b"", "expected a column 'wnid', columns separated by tabs, got []"),
    ],
)
def test_what_is_no_class_list_is_refused_by_name(tmp_path, written, said):
    path = tmp_path / "list.tsv"
    path.write_bytes(written)
    for key in ("classes.targets", "classes.sources"):
        with pytest.raises(ConfigError, match=re.escape(str(path))) as refused:
            load(changed(key, str(path)))
        assert said in str(refused.value)
    with pytest.raises(ConfigError, match=f"{tmp_path}: expected a file of text, got: Is a directory"):
        load(changed("classes.targets", str(tmp_path)))


def test_a_class_list_may_be_what_a_spreadsheet_writes(tmp_path):
    path = tmp_path / "list.tsv"
    path.write_bytes(b'\xef\xbb\xbf"wnid"\ttype\r\nn13879320\r\nn13896217\tdisjoint\r\n\r\n')
    assert read_wnids(str(path)) == ["n13879320", "n13896217"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "\ufeff" + text, "begins with a byte order mark; save it as UTF-8 without one"),
        (lambda text: text + "n00000001\tx.n.01\n", "got 2; name them all, fill in what is missing"),
        (lambda text: text + "n99999999\tx.n.01\tn99999998\tx\tx\n", "no line for the parents n99999998"),
        (lambda text: text.replace("\t", ","), "expected"),
        (lambda text: text + "n99999999\tx.n.01\t\tx\tx\ty\n", "got 6; name them all"),
    ],
)
def test_a_faulty_taxonomy_of_ones_own_is_refused_before_any_job(tmp_path, change, said):
    path = tmp_path / "own.tsv"
    path.write_text(change(TABLES["classes.taxonomy"]))
    with pytest.raises(ConfigError, match=r"classes\.taxonomy: .*own\.tsv") as refused:
        load(changed("classes.taxonomy", str(path)))
    assert said in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_published_tables_of_another_encoding_are_named(tmp_path, encoding):
    for name in ("table1", "table2"):
        text = (PROJECT / f"config/published/{name}.csv").read_text()
        (tmp_path / f"{name}.csv").write_text(text + "\xf6", encoding=encoding)
    with pytest.raises(ConfigError) as refused:
        load(changed("tables.published", str(tmp_path)))
    for name in ("table1", "table2"):
        assert f"tables.published: {tmp_path}/{name}.csv: expected text in UTF-8, got" in str(refused.value)


def test_numbers_that_the_command_line_gives_as_texts_are_read():
    config = load(changed("seeds", ["0", "7"], changed("training.learning_rate", "1e-2")))
    assert config["seeds"] == [0, 7]
    with pytest.raises(ConfigError, match="seeds.0: 'zero' is not of type 'integer'"):
        load(changed("seeds", ["zero"]))


def test_a_class_list_that_repeats_a_class_is_refused(tmp_path):
    path = tmp_path / "twice.tsv"
    path.write_text("wnid\nn13879320\nn13879320\n")
    with pytest.raises(ConfigError, match="names n13879320 twice"):
        load(changed("classes.targets", str(path)))


@pytest.mark.parametrize("key", ["classes.targets", "classes.sources"])
def test_one_class_alone_is_refused(tmp_path, key):
    path = tmp_path / "one.tsv"
    path.write_text("wnid\nn13879320\n")
    with pytest.raises(ConfigError, match=rf"{key}: {path} names one class only, n13879320, so that .*; name two"):
        load(changed(key, str(path)))


def test_images_of_one_class_alone_are_refused_where_the_others_shall_be_dropped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = changed("images.drawn", None, changed("images.on_missing", "drop"))
    config["images"]["tars"] = f"{tmp_path}/{{wnid}}.tar"
    wnids = read_wnids(str(PROJECT / "config/targets/minimal.tsv"))
    for made in (0, 1):
        with pytest.raises(ConfigError, match=rf"images\.tars: files for {made} of 4 target classes; .* two or more"):
            load(config)
        (tmp_path / f"{wnids[made]}.tar").touch()
    with pytest.raises(ConfigError) as refused:
        load(config)
    assert "images.tars" not in str(refused.value)


def test_a_folder_of_published_tables_is_checked(tmp_path):
    assert load(changed("tables.published", "config/published"))["tables"]["published"].endswith("config/published")
    with pytest.raises(ConfigError, match=r"config/published/table2\.csv is no folder with a table1\.csv; name one"):
        load(changed("tables.published", "config/published/table2.csv"))
    (tmp_path / "table1.csv").write_text("target_wnid,measure,source,source_wnid\n")
    with pytest.raises(ConfigError, match=rf"tables\.published: {tmp_path} is no folder with a table2\.csv"):
        load(changed("tables.published", str(tmp_path)))
    (tmp_path / "table2.csv").write_text("shots,initialisation,first,best\n")
    with pytest.raises(ConfigError, match=r"table2\.csv lacks the columns classes, it has shots, init"):
        load(changed("tables.published", str(tmp_path)))


def test_every_key_has_a_description_and_a_default():
    def walk(part: dict[str, Any], key: str) -> None:
        for name, inner in part.get("properties", {}).items():
            assert inner.get("description"), f"{key}{name} has no description"
            assert "default" in inner, f"{key}{name} has no default"
            assert inner.get("additionalProperties") is not None or inner.get("type") != "object" or name == "options"
            walk(inner, f"{key}{name}.")
        if isinstance(part.get("additionalProperties"), dict):
            walk(part["additionalProperties"], f"{key}<name>.")

    walk(SCHEMA, "")


def test_config_readme_says_what_the_schema_says():
    text = (PROJECT / "config/README.md").read_text()
    assert text == config_reference.reference(SCHEMA), "config/README.md differs from the schema: run `make docs`"


def test_no_default_is_promised_where_a_key_must_be_given():
    shown = {key: default for key, default, _ in config_reference.rows(SCHEMA)}
    config = changed("images.lists", {"train": "a.txt", "test": "b.txt"})
    config = changed("starts", {"initialisations": ["random"]}, config)
    refused = set()
    for key in shown:
        *way, last = [name if name != "<name>" else "main" for name in key.split(".")]
        part = look_up(config, ".".join(way)) if way else config
        if part and last in part:
            one = copy.deepcopy(config)
            (look_up(one, ".".join(way)) if way else one).pop(last)
            try:
                load(one)
            except ConfigError as error:
                refused |= {key} if f"lacks {last}" in str(error) else set()
    assert refused == {key for key, default in shown.items() if default == "must be given"} > {"source.library"}


def test_counts_are_read_by_the_measures_that_use_them_where_a_file_is_named(tmp_path):
    file = tmp_path / "ic.dat"
    file.touch()
    for word, given in itertools.product(("res", "lin", "jcn", "path", "wordnet"), (None, str(file))):
        experiment = Experiment(load(changed("classes.information_content", given)))
        found = experiment.measure_inputs(SimpleNamespace(measure=word, sample="all"))
        counts = {"counts": given} if given and word in ("res", "lin", "jcn") else {}
        assert found == {"taxonomy": experiment.taxonomy(), **counts}


def test_words_of_the_schema_are_those_of_the_vocabulary():
    groups = look_up(SCHEMA, "properties.groups.additionalProperties.properties")
    assert groups["strategy"]["enum"] == list(STRATEGIES) and groups["strategy"]["default"] == PLAIN
    pattern = re.compile(groups["initialisations"]["items"]["pattern"])
    for word, start in all_starts().items():
        assert pattern.search(word) and bool(pattern.search(f"{word}-k3")) == bool(start.measure)
    assert not pattern.search("magic") and not pattern.search("random,wordnet")
    assert look_up(SCHEMA, "properties.gpu.properties.precision.enum") == list(PRECISIONS)
    reading = look_up(SCHEMA, "properties.inference.properties.reading")
    assert reading["enum"] == list(READINGS)
    assert reading["default"] == "argmax"


def test_every_option_of_a_strategy_has_a_description_and_a_default_that_is_allowed():
    for strategy in STRATEGIES.values():
        for option in strategy.options.values():
            assert option["description"]
            Draft202012Validator(option).validate(option["default"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alhpa": 1}, ["groups.main.options.alhpa: unknown key", "did you mean 'alpha'"]),
        ({"alpha": -1}, ["groups.main.options.alpha", "-1 is less than the minimum"]),
        ({"head_share": 0.5}, ["groups.main.options.head_share: unknown key"]),
    ],
)
def test_options_are_those_of_the_groups_strategy(options, said):
    with pytest.raises(ConfigError) as refused:
        load(changed("groups.main.options", options, changed("groups.main.strategy", "l2sp")))
    assert all(text in str(refused.value) for text in said), str(refused.value)
    config = load(changed("groups.main.options", {"alpha": 2}, changed("groups.main.strategy", "l2sp")))
    assert config["groups"]["main"]["options"] == {"alpha": 2}


def test_a_group_of_the_papers_strategy_has_no_options():
    with pytest.raises(ConfigError, match=r"groups\.main\.options\.alpha: unknown key"):
        load(changed("groups.main.options", {"alpha": 1}))


@pytest.mark.parametrize("strategy", ["gradmf", "pcgrad", "joint"])
def test_a_strategy_that_trains_on_source_images_is_refused_where_there_are_none(strategy):
    assert load(changed("groups.main.strategy", strategy))["images"]["drawn"]
    with pytest.raises(ConfigError, match=rf"groups\.main\.strategy: {strategy} trains on pictures .* name a folder"):
        load(changed("groups.main.strategy", strategy, PAPER))
    assert load(changed("source.samples", "config", changed("groups.main.strategy", strategy, PAPER)))


def test_source_images_in_tars_are_refused_before_any_job_where_tars_are_missing(tmp_path):
    config = load(changed("source.samples", f"{tmp_path}/{{wnid}}.tar", PAPER))
    assert in_tars(config) and not in_tars(load(changed("source.samples", "config", PAPER)))
    with pytest.raises(ConfigError, match=r"source\.samples: no file for 1000 of 1000 .*n01440764\.tar\); correct the"):
        require_source_tars(config)
    for path in source_tars(config).values():
        path.touch()
    require_source_tars(config)
    require_source_tars(load(PAPER))


def test_tables_of_several_groups_name_groups_that_are_there():
    assert load(changed("tables.group", ["main", "curves"]))["tables"]["group"] == ["main", "curves"]
    with pytest.raises(ConfigError, match=r"tables\.group: 'mian' is none of the groups curves, main"):
        load(changed("tables.group", ["main", "mian"]))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (
            "source.weights",
            "{downloads}/resnet50.pth",
            ["source.weights: 'resnet50.pth' is none of the files of", "add"],
        ),
        ("wordvectors.path", "{downloads}/w.tar.gz", ["wordvectors.path: 'w.tar.gz' is none of the files of"]),
        ("classes.information_content", "{downloads}/ic.dat", ["classes.information_content: 'ic.dat' is none of"]),
        ("images.lists.test", "{downloads}/test.tsv", ["images.lists.test: 'test.tsv' is none of the files of"]),
        ("images.tars", "http://image-net.org/{wnid}.tar", ["images.tars", "is no https URL", "fetch by hand"]),
        ("downloads.manifest", "config/targets/paper90.tsv", ["downloads.manifest", "expected tab-separated columns"]),
        ("downloads.manifest", "config/gone.tsv", ["downloads.manifest: 'config/gone.tsv' is not there"]),
    ],
)
def test_what_cannot_be_fetched_is_refused_before_any_job(key, value, said):
    with pytest.raises(ConfigError) as caught:
        load(changed(key, value, PAPER))
    assert all(text in str(caught.value) for text in said), str(caught.value)


def test_paper_and_rehearsal_have_one_shape():
    rehearsal = yaml.safe_load((PROJECT / "config/rehearsal.yaml").read_text())
    assert set(rehearsal) == set(PAPER) | {"downloads"}  # kept apart from the real files
    for part in PAPER:
        if isinstance(PAPER[part], dict):
            assert set(rehearsal[part]) >= set(PAPER[part])
    for part in ("classes", "wordvectors"):
        assert rehearsal[part] == PAPER[part]
    assert rehearsal["groups"]["main"] == PAPER["groups"]["main"]
    assert {key: rehearsal["source"][key] for key in PAPER["source"]} == PAPER["source"]


def test_papers_config_has_what_the_paper_fixes():
    config = load(PAPER)
    assert (config["source"]["library"], config["source"]["name"]) == ("torchvision", "resnet101")
    assert config["source"]["weights"] == "resources/paper/downloads/resnet101-63fe2227.pth"
    assert config["groups"]["main"]["shots"] == [1, 2, 5, 10, 25, 50, 100] and config["figures"]["shots"] == 500
    training = config["training"]
    assert [training[key] for key in ("learning_rate", "betas", "eps", "batch", "dropout", "trained_from")] == [
        *(1e-3, [0.9, 0.999], 1e-8, 64, 0.75, "layer4"),
    ]
    assert (config["images"]["short_side"], config["images"]["crop"]) == (256, 224)
