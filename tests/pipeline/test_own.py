"""What follows from images of one's own: numbers, starts, short forms, and the words of the plan."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from headstart.data.splits import Wanted, split_class, split_folders
from headstart.measures import senses
from pipeline.config import own
from pipeline.config.loading import load_config
from pipeline.config.own import spelt_out
from pipeline.config.survey import key_of
from pipeline.config.tables import ConfigError
from pipeline.experiment import Experiment
from pipeline.plan.counts import by_folders
from pipeline.plan.own_images import found_lines

PROJECT = Path(__file__).parents[2]
OWN = yaml.safe_load((PROJECT / "config/own.yaml").read_text())


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with weights and word vectors, and no WordNet."""
    (tmp_path / "data/source").mkdir(parents=True)
    (tmp_path / "data/source/mobilenetv2_100_same_imagenet1k.safetensors").touch()
    (tmp_path / "data/wordvectors/gloss200").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(own, "find_nouns", lambda where: None)
    return tmp_path


def pictures(folder: Path, **counts: int) -> str:
    for name, count in counts.items():
        (folder / name.replace("__", "/")).mkdir(parents=True)
        for number in range(count):
            (folder / name.replace("__", "/") / f"{number}.jpg").touch()
    return str(folder)


def load(images: str, **changes: Any) -> dict[str, Any]:
    return load_config(copy.deepcopy(OWN) | {"images": images} | changes, PROJECT)


def wanted(images: dict[str, Any]) -> Wanted:
    return Wanted(*(images[key] for key in ("train", "validation", "test", "test_min", "test_share")))


@pytest.mark.parametrize("smallest", [2, 3, 5, 9, 20, 50, 80, 300])
def test_the_numbers_fit_the_smallest_class_and_use_the_others(place, smallest):
    images = load(pictures(place / f"own{smallest}", small=smallest, large=2 * smallest))["images"]
    names = {count: [f"n1_{number}.jpg" for number in range(count)] for count in (smallest, 2 * smallest)}
    for count, own_names in names.items():
        split = split_class(own_names, "n1", 0, wanted(images))["part"].value_counts()
        assert split["train"] >= images["train"] >= min(50, 0.5 * smallest)
        assert split["test"] == max(1, count // 4) or count > 400
        assert smallest < 6 or split["validation"] >= 1
        assert by_folders({"": count}, images)[1:] == (split.get("validation", 0), split["test"], True)


def test_everything_else_follows(place):
    config = load(pictures(place / "own", a=20, b=40))
    assert config["groups"]["main"]["shots"] == [1, 5, 12] and config["neighbours"]["shots"] == 12
    assert config["figures"]["shots"] == 12 and config["heads"]["lonely"] == "random"
    assert config["training"]["trained_from"] == "blocks.6"
    assert config["tables"]["examples"] == [key_of("a"), key_of("b")]
    assert Experiment(config).targets == [key_of("a"), key_of("b")]


def test_what_a_config_says_itself_stays(place):
    images = {"folder": pictures(place / "own", a=20, b=40), "train": 4}
    config = load_config(copy.deepcopy(OWN) | {"images": images, "neighbours": {"shots": 2}}, PROJECT)
    assert config["images"]["train"] == 4 and config["groups"]["main"]["shots"] == [1, 4]
    assert config["neighbours"]["shots"] == 2


def test_folders_say_what_tests(place):
    config = load(pictures(place / "own", train__a=12, train__b=9, test__a=4, test__b=5))
    images = config["images"]
    assert (images["train"], images["validation"], images["test"], images["test_min"]) == (8, 1, 5, 2)
    names = [f"k_{part}_{number}.jpg" for part, count in (("train", 12), ("test", 4)) for number in range(count)]
    split = split_folders(names, "k", 0, wanted(images))["part"].value_counts()
    part = by_folders({"train": 12, "test": 4}, images)
    assert part[:3] == (16, split["validation"], split["test"])
    assert Experiment(config).parted()


@pytest.mark.parametrize(("counts", "said"), [
    ({"a": 1, "b": 5}, "too few pictures of a; every class needs two or more; add some, or take the folder away"),
    ({"train__a": 3, "train__b": 3, "test__a": 3, "test__b": 0}, r"too few pictures of b; .* both in the folder train"),
])  # fmt: skip
def test_classes_with_too_few_pictures_are_named(place, counts, said):
    with pytest.raises(ConfigError, match=said):
        load(pictures(place / "own", **counts))


def test_starts_that_nothing_stands_behind_are_left_out_and_said_to_be(place):
    images = pictures(place / "own", a=9, b=9)
    config = load(images)
    assert config["groups"]["main"]["initialisations"] == ["random", "inference", "word2vec", "imprinted", "probe"]
    assert config["classes"]["taxonomy"] is None
    (place / "data/wordvectors/gloss200").rmdir()
    config = load(images)
    assert config["groups"]["main"]["initialisations"] == ["random", "inference", "imprinted", "probe"]
    lines = "\n".join(found_lines(config, OWN["groups"]))
    assert "left out: wordnet, word2vec (there are no word vectors, WordNet is not installed)" in lines
    assert "9 pictures" in lines and "results/own/classes.tsv" in lines


def test_wordnet_counts_where_a_class_has_a_synset(place, monkeypatch):
    nouns = {"a": [senses.Sense("n00000001", "a", "the letter")]}

    class Made:
        def __init__(self, where):
            pass

        def senses(self, name):
            return nouns.get(name, [])

        def sense(self, wnid):
            return nouns["a"][0] if wnid == "n00000001" else None

    monkeypatch.setattr(own, "find_nouns", lambda where: place)
    monkeypatch.setattr(own, "Nouns", Made)
    images = pictures(place / "own", a=9, b=9)
    assert "wordnet" in load(images)["groups"]["main"]["initialisations"]
    table = place / "results/own/classes.tsv"
    table.parent.mkdir(parents=True)
    table.write_text("class\twnid\tgloss\twhy\na\tn00000001\t\t\nb\t\t\t\n")  # somebody took the reason away
    config = load(images)
    assert "wordnet" not in config["groups"]["main"]["initialisations"]
    assert "(no class has a synset)" in "\n".join(found_lines(config, OWN["groups"]))
    table.write_text("class\twnid\tgloss\twhy\na\tn00000001\t\tmine\nb\tn99999999\t\tmine\n")
    with pytest.raises(ConfigError, match=r"class 'b' has n99999999, which is no noun of WordNet 3\.0; correct it"):
        load(images)
    table.write_text("class\twnid\tgloss\twhy\na\tn00000001\t\tmine\na\tn00000002\t\tmine\n")
    with pytest.raises(ConfigError, match="class 'a': both n00000001 and n00000002 have a reason in the column why"):
        load(images)


def test_a_network_in_one_word(place):
    assert spelt_out({"source": "torchvision:resnet50:a:b.pth"})["source"]["weights"] == "a:b.pth"
    (place / "net.pth").touch()
    images = pictures(place / "own", a=9, b=9)
    config = load(images, source="torchvision:resnet50:net.pth")
    assert config["source"]["name"] == "resnet50" and config["training"]["trained_from"] == "layer4"
    with pytest.raises(ConfigError, match="expected <timm or torchvision>:<name>:<file of weights>, got 'resnet50'"):
        load(images, source="resnet50")
    with pytest.raises(ConfigError, match="last stage of timm vit_tiny_patch16_224 is called is not known here"):
        load(images, source="timm:vit_tiny_patch16_224:net.pth")


@pytest.mark.parametrize(("changes", "said"), [
    ({"classes": OWN["classes"] | {"targets": "config/targets/photos.tsv"}}, "classes.targets: the folders in"),
    ({"groups": {"main": {"initialisations": ["inference", "prior"]}}}, "groups: prior needs a synset for every class"),
])  # fmt: skip
def test_what_does_not_go_with_folders_is_refused(place, changes, said):
    with pytest.raises(ConfigError, match=said):
        load(pictures(place / "own", a=9, b=9), **changes)


def test_without_images_the_config_asks_for_them(place):
    with pytest.raises(ConfigError, match="lacks images; add it"):
        load_config(copy.deepcopy(OWN), PROJECT)


def test_other_configs_cannot_do_without_a_taxonomy():
    minimal = yaml.safe_load((PROJECT / "config/minimal.yaml").read_text())
    minimal["classes"]["taxonomy"] = None
    with pytest.raises(ConfigError, match=r"classes\.taxonomy: null, which only images\.folder can do without"):
        load_config(minimal, PROJECT)


@pytest.mark.parametrize(("sizes", "made"), [((12, 30), True), ((6, 6), True), ((2, 2), False), ((3, 5), True)])
def test_a_model_is_made_where_an_image_is_left_to_choose_it_by(place, sizes, made):
    images = pictures(place / "images", first=sizes[0], second=sizes[1])
    assert load(images)["model"] == ({"group": None, "start": None, "shots": None} if made else None)
    assert load(images, model=None)["model"] is None
    assert load(images, neighbours={"rule": "paper"})["model"] is None
    names = [f"{number}.jpg" for number in range(sizes[1])]
    numbers = load(images)["images"]
    wanted = Wanted(*(numbers[key] for key in ("train", "validation", "test", "test_min", "test_share")))
    assert made == ("validation" in set(split_class(names, "second", 0, wanted)["part"]))
