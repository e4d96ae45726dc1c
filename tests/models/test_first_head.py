"""The library without the pipeline: network, images and labels in, a head out, as the README shows."""

import re
from copy import deepcopy
from pathlib import Path

import pytest
import timm
import torch
from small_model import NETWORK

from headstart.heads.starts import HeadInputs, start_imprinted
from headstart.models.assembly import state_of
from headstart.models.first_head import first_head
from headstart.networks.backbones import load_classifier

README = (Path(__file__).parents[2] / "README.md").read_text()
LABELS = torch.tensor([2, 0, 1, 0, 1, 2, 0])


@pytest.fixture(scope="module")
def source():
    return load_classifier(classes=6, seed=2, **NETWORK)


@pytest.fixture(scope="module")
def images():
    return torch.rand((7, 3, 32, 32), generator=torch.Generator().manual_seed(0))


def test_an_imprinted_head_is_that_of_the_pipeline(source, images):
    head = first_head(source, images, LABELS)
    with torch.inference_mode():
        features = source.forward_head(source.forward_features(images), pre_logits=True).numpy()
    weight, bias = (part.detach().numpy() for part in (source.fc.weight, source.fc.bias))
    wanted = start_imprinted(
        HeadInputs(names="abc", source_weight=weight, source_bias=bias, features=features, labels=LABELS.numpy())
    )
    assert torch.allclose(head.weight, torch.from_numpy(wanted.weight), atol=1e-6) and head.bias.abs().max() == 0


def test_a_blended_head_has_the_mean_of_the_sources_that_are_seen_most(source, images):
    head = first_head(source, images, LABELS, start="inference-k1")
    for row in head.weight:
        assert any(torch.allclose(row, own) for own in source.fc.weight)
    called = source(images).argmax(dim=1)
    assert head.weight.shape == (3, 16) and len(called.unique()) >= 1


@pytest.mark.parametrize("start", ["probe", "random"])
def test_other_starts_that_need_no_more_work_too(source, images, start):
    assert first_head(source, images, LABELS, start=start).weight.isfinite().all()


def test_the_network_is_left_as_it_was(source, images):
    before, grads = state_of(source), [part.requires_grad for part in source.parameters()]
    first_head(source, images, LABELS)
    assert all(torch.equal(value, before[name]) for name, value in source.state_dict().items())
    assert [part.requires_grad for part in source.parameters()] == grads


@pytest.mark.parametrize("start", ["wordnet", "wordnet-k1", "inference", "prior", "semantic"])
def test_starts_that_need_more_than_images_are_refused_with_those_that_do_not(source, images, start):
    with pytest.raises(ValueError, match="take imprinted, probe, random or inference-k<K>"):
        first_head(source, images, LABELS, start=start)


@pytest.mark.parametrize("labels", [[0, 1], [0, 2, 2, 0, 2, 0, 2], []])
def test_images_and_labels_that_do_not_fit_are_refused(source, images, labels):
    with pytest.raises(ValueError, match="expected a label for each of 7 images, from 0 on without a gap"):
        first_head(source, images, torch.tensor(labels, dtype=torch.int64))


def test_the_lines_of_the_readme_run_as_they_stand(source, images, monkeypatch):
    (lines,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(lines.strip().splitlines()) <= 8
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained: deepcopy(source))
    names = {"images": images, "labels": LABELS}
    exec(lines, names)
    assert names["network"](images).shape == (7, 3)
    assert torch.equal(names["network"].fc.weight, first_head(source, images, LABELS).weight)
