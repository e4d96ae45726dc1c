"""What the frozen blocks make of every batch of a training, kept so that all strategies share one pass.

Letters in shapes: N images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor, nn
from tqdm import tqdm

from headstart.finetuning.batches import TrainingImages, draw_batch, rows_drawn
from headstart.finetuning.replicas import as_input
from headstart.machine.machines import Machine
from headstart.networks.embedding import Batches, keep_passes


class KeptBatches:
    """The file of `keep_batches`, mapped.

    Args:
        path: of the file.
        images: to train on, by which it was made.

    Raises:
        ValueError: a file of other images, or of fewer steps than are asked for.
    """

    def __init__(self, path: Path, images: TrainingImages, steps: int) -> None:
        """Map the file."""
        self.outputs, self.images = np.load(path, mmap_mode="r"), images
        if len(self.outputs) != (count := rows_drawn(images, steps).stop):
            raise ValueError(f"{path} has {len(self.outputs)} images, expected {count} of {steps} steps; make it again")

    def of(self, step: int, machine: Machine) -> Tensor:
        """Give the trunk's output for the images of a step, counted from 1: float32 (N, ...) on the device."""
        return as_input(self.outputs[rows_drawn(self.images, step)], machine.device)


def keep_batches(trunk: nn.Module, images: TrainingImages, steps: int, machine: Machine, path: Path) -> None:
    """Write the trunk's output for the batches of all steps, one below the other, as float32 to an .npy file."""

    def drawn() -> Batches:
        for step in tqdm(range(1, steps + 1), desc="keep", unit="step", mininterval=5):
            inputs, _ = draw_batch(images, step, machine.device)
            yield [f"{row} of step {step}" for row in range(len(inputs))], inputs

    keep_passes(trunk, drawn(), rows_drawn(images, steps).stop, machine, path)
