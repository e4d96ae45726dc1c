"""Batches, crops and dropout depend on their keys alone."""

from dataclasses import replace

import numpy as np
import torch
from toys import CPU, VIEW, labels_of

from headstart.data.crops import random_crop
from headstart.finetuning.batches import batch_order, draw_batch, dropout_mask
from headstart.networks.embedding import normalise


def test_an_epoch_shows_every_image_once_and_keeps_the_last_small_batch(images):
    sizes, seen = [], []
    for step in (1, 2, 3):
        _, labels = draw_batch(images, step, CPU)
        sizes.append(len(labels))
        seen += labels.tolist()
    assert sizes == [4, 4, 1] and sorted(seen) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_crops_and_order_change_with_the_epoch(images, store):
    for step, epoch, rows in ((2, 0, slice(4, 8)), (5, 1, slice(4, 8)), (9, 2, slice(8, 9))):
        names = [images.names[i] for i in batch_order(9, seed=1, shots=3, epoch=epoch)[rows]]
        crops = np.stack([random_crop(store.pixels(name), 32, 1, name, epoch) for name in names])
        inputs, labels = draw_batch(images, step, CPU)
        assert torch.equal(inputs, normalise(crops, VIEW, CPU))
        assert labels.tolist() == labels_of(names).tolist()
    place_in_first, place_in_second = (random_crop(store.pixels("n01_0.png"), 32, 1, "n01_0.png", e) for e in (0, 1))
    assert (place_in_first != place_in_second).any()


def test_batches_depend_on_seed_shots_and_step_alone(images):
    first, labels = draw_batch(images, 1, CPU)
    again, again_labels = draw_batch(images, 1, CPU)
    assert torch.equal(first, again) and torch.equal(labels, again_labels)
    for other in (replace(images, seed=2), replace(images, shots=2)):
        assert not torch.equal(draw_batch(other, 1, CPU)[0], first)
    assert not torch.equal(draw_batch(images, 4, CPU)[0], first)


def test_the_order_is_a_permutation_that_changes_with_each_key():
    order = batch_order(50, seed=1, shots=2, epoch=0)
    assert sorted(order) == list(range(50)) and (order == batch_order(50, 1, 2, 0)).all()
    for other in ((2, 2, 0), (1, 3, 0), (1, 2, 1), (12, 0, 0)):
        assert (order != batch_order(50, *other)).any()


def test_dropout_drops_its_share_and_scales_the_rest():
    mask = dropout_mask(200, 100, 0.75, seed=0, step=1)
    assert set(mask.unique().tolist()) == {0.0, 4.0}
    assert abs(float((mask == 0).float().mean()) - 0.75) < 0.01  # about three standard deviations of 20000 draws
    assert torch.equal(mask, dropout_mask(200, 100, 0.75, 0, 1))
    assert not torch.equal(mask, dropout_mask(200, 100, 0.75, 0, 2))
    assert not torch.equal(mask, dropout_mask(200, 100, 0.75, 1, 1))
