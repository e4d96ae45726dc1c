"""Images are described by what filters answer in bins of equal mass; the nearest are those of the plain formula."""

import math

import numpy as np
import pytest
import torch
from noisy_pictures import write_noise
from test_backbones import Chain, build
from torch import nn

from headstart.data.images import PixelStore, decode_folder
from headstart.data.views import View
from headstart.machine.machines import Machine
from headstart.networks import divergence
from headstart.networks.descriptors import BINS, CELLS, Histograms, cells_of, equal_bins
from headstart.networks.divergence import EPSILON, channel_weights, nearest
from headstart.networks.filters import STRIDE, Filters, first_convolutions, gabor_answers, gabor_kernels

MACHINE = Machine(torch.device("cpu"), threads=1)
VIEW = View(32, mean=[0.5] * 3, std=[0.25] * 3)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    write_noise(folder, ["n01", "n02"], [(36, 40)] * 6, noise=200)
    decode_folder(folder, folder / "all.arrow", 36)
    return PixelStore([folder / "all.arrow"])


@pytest.fixture(scope="module")
def filters():
    return Filters(build(Chain).eval())


@pytest.mark.parametrize(("scale", "wavelength"), [(0, 2.5), (1, 5.0), (2, 10.0), (3, 20.0)])
def test_a_gabor_filter_answers_most_to_waves_of_its_own_length_and_direction(scale, wavelength):
    kernel = gabor_kernels()[scale][:, 0].double()
    side = kernel.shape[-1] // 2
    y, x = torch.meshgrid(*[torch.arange(-side, side + 1, dtype=torch.float64)] * 2, indexing="ij")

    def energies(length, degrees):
        angle = math.radians(degrees)
        wave = torch.cos(2 * math.pi / length * (x * math.cos(angle) + y * math.sin(angle)) + 0.7)
        real, imaginary = (kernel * wave).sum((1, 2)).view(2, 6)
        return real**2 + imaginary**2

    for place, degrees in enumerate(range(0, 180, 30)):
        own = energies(wavelength, degrees)
        assert own.argmax() == place
        assert own[place] > 2 * max(energies(wavelength * factor, degrees)[place] for factor in (0.5, 2))


def test_even_pictures_get_no_answer_and_every_second_pixel_gets_one():
    images = torch.full((2, 3, 20, 24), 0.7)
    answers = gabor_answers(images, gabor_kernels())
    assert answers.shape == (2, 48, 20 // STRIDE, 24 // STRIDE)
    assert answers.abs().max() < 1e-6


def test_the_first_two_convolutions_are_those_called_first_and_nothing_overwrites_them():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.second, self.first = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return self.last(torch.relu_(self.second(torch.relu_(self.first(x)))))

    model, images = Backwards().eval(), torch.randn(2, 3, 9, 9)
    with torch.inference_mode():
        first, second = first_convolutions(model, images)
        assert torch.equal(first, model.first(images)) and (first < 0).any()
        assert torch.equal(second, model.second(first.relu()))
        assert len(first_convolutions(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), images)) == 1


def test_bins_hold_as_much_of_the_target_images_answers_each():
    mass = torch.from_numpy(np.random.default_rng(0).multinomial(10**6, np.full(CELLS, 1 / CELLS), size=2))
    held = torch.zeros(2, BINS, dtype=torch.long).scatter_add_(1, equal_bins(mass), mass)
    assert (held / mass.sum(1, keepdim=True)).sub(1 / BINS).abs().max() < 0.2 / BINS
    lump = torch.zeros(1, CELLS, dtype=torch.long)
    lump[0, 7], lump[0, 9] = 80, 20
    bins = equal_bins(lump)
    assert bins[0, 7] == 40 and bins[0, 9] == 90 and (bins.diff() >= 0).all()


def test_answers_outside_go_to_the_end_cells():
    answers = torch.tensor([[[-5.0, 0.0, 0.5, 1.0, 9.0], [3.0, 3.0, 3.0, 4.0, 2.0]]])
    low, high = torch.tensor([0.0, 3.0]), torch.tensor([1.0, 3.0])
    assert cells_of(answers, low, high)[0].tolist() == [
        [0, 0, CELLS // 2, CELLS - 1, CELLS - 1],
        [0, 0, 0, CELLS - 1, 0],
    ]


def test_descriptors_are_those_of_a_plain_count(store, filters, tmp_path):
    targets, sources = store.names[:6], store.names
    histograms = Histograms(filters, VIEW, MACHINE, batch=4)
    histograms.fit(store, targets)
    histograms.write(store, sources, tmp_path / "sources.npy")
    found = np.load(tmp_path / "sources.npy", mmap_mode="r")
    assert found.dtype == np.uint16 and found.shape == (12, 48 + 6 + 8, BINS)
    crops = [store.pixels(name)[2:34, 4:36] for name in sources]
    inputs = (torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2) / 255 - 0.5) / 0.25
    with torch.inference_mode():
        banks = filters(inputs)
    for channel, bank, place in [(0, 0, 0), (30, 0, 30), (48, 1, 0), (54, 2, 0)]:
        answers = banks[bank][:, place].numpy()
        ends = answers[:6].min(), answers[:6].max()
        assert (found[:, channel].sum(1) == answers.shape[1]).all()
        edges = np.linspace(*ends, CELLS + 1)
        fine = np.stack([np.histogram(np.clip(one, *ends), edges)[0] for one in answers])
        until = fine[:6].sum(0).cumsum()
        middle = (until - fine[:6].sum(0) / 2) / until[-1] * BINS
        expected = np.stack([np.bincount(np.minimum(middle.astype(int), BINS - 1), one, BINS) for one in fine])
        # Answers at the very edge of a cell may go either way.
        assert np.abs(found[:, channel].astype(int) - expected).sum() <= 0.02 * expected.sum()
        held = found[:6, channel].sum(0) / found[:6, channel].sum()
        assert held.max() < 0.05
    assert histograms.ranges()["bank"] == [0] * 48 + [1] * 6 + [2] * 8


def test_without_images_there_are_no_bins_and_no_descriptors(store, filters, tmp_path):
    histograms = Histograms(filters, VIEW, MACHINE)
    with pytest.raises(ValueError, match="got no image to find bins from"):
        histograms.fit(store, [])
    with pytest.raises(ValueError, match="got no image to describe"):
        histograms.write(store, [], tmp_path / "none.npy")


def plain_divergence(target, source, weights):
    """The authors' formula, channel by channel and bin by bin."""
    total = 0.0
    for p, q, weight in zip(target / target.sum(1)[:, None], source / source.sum(1)[:, None], weights, strict=True):
        for a, b in zip(p + EPSILON, q + EPSILON, strict=True):
            total += weight * 0.5 * (a * math.log(a / b) + b * math.log(b / a))
    return total


def test_nearest_sources_are_those_of_the_plain_double_loop(monkeypatch):
    monkeypatch.setattr(divergence, "TARGETS", 3)
    monkeypatch.setattr(divergence, "SOURCES", 4)
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(BINS, 0.05), size=(24, 5))
    counts = np.stack([[rng.multinomial(60, one) for one in image] for image in shares]).astype(np.uint16)
    targets, sources = counts[:7], counts[7:]
    sources[9] = sources[2]  # as near as another: then the first comes first
    targets[1] = sources[5]
    weights = channel_weights([2, 3])
    plain = np.array([[plain_divergence(t, s, weights) for s in sources] for t in targets])
    sides = [divergence.Side(one, torch.from_numpy(weights)) for one in (targets, sources)]
    np.testing.assert_allclose(divergence.divergences(*sides).numpy(), plain, rtol=1e-9, atol=1e-12)
    found = nearest(targets, sources, [2, 3], 6, torch.device("cpu"))
    assert found.dtype == np.int32 and np.array_equal(found, np.argsort(plain.round(9), kind="stable")[:, :6])
    assert found[1, 0] == 5
    assert nearest(targets, sources, [2, 3], 99, torch.device("cpu")).shape == (7, 17)


def test_every_bank_counts_as_much_however_many_channels_it_has():
    weights = channel_weights([48, 96, 256])
    assert weights[:48].sum() == pytest.approx(1 / 3) and weights[144:].sum() == pytest.approx(1 / 3)


def test_descriptors_of_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"expected histograms of 5 channels, got \(4, 100\) .* \(5, 100\)"):
        nearest(np.ones((2, 4, 100)), np.ones((2, 5, 100)), [2, 3], 1, torch.device("cpu"))
