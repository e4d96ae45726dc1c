"""Fine-tune one network from several heads in lockstep: the same crops, batches and dropout for all of them.

The frozen trunk runs once per batch and feeds one tail and head per start. Everything random is keyed, on (seed, name,
epoch) for crops, (seed, shots, epoch) for the order and (seed, step) for dropout, so a run's result does not depend on
the runs beside it.

Letters in shapes: N images, T target classes, D features of the last layer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from threading import Event
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from headstart.finetuning.batches import Batch, draw_step
from headstart.finetuning.evaluation import near
from headstart.finetuning.replicas import SCORED, Replica, final_weights, score
from headstart.finetuning.settings import Heads, Task, Training, refuse, unfit_heads
from headstart.finetuning.steps import Optimisers, Steps
from headstart.finetuning.strategies.finetune import FineTune, Step
from headstart.jobs.checkpoints import Checkpoint, termination
from headstart.machine.computing import compile_on, place, rounded_once
from headstart.machine.machines import Machine, use_threads
from headstart.machine.prefetch import one_ahead
from headstart.networks.backbones import Network

Replicas = dict[str, Replica]
Scores = list[tuple[str, int, str, Tensor]]  # initialisation, step, part, F-score of each class (T,)
COLUMNS = ("initialisation", "step", "part", "wnid", "f1")


def train_lockstep(
    strategy: FineTune,
    network: Network,
    heads: Heads,
    task: Task,
    training: Training,
    machine: Machine,
    checkpoint: Checkpoint | None = None,
) -> tuple[pd.DataFrame, dict[str, Tensor]]:
    """Train one replica of the network per head, and score each at the given steps.

    Args:
        strategy: what a step is.
        network: as the strategy cut it; its trunk stays frozen and its tail is copied, neither changes.
        heads: initialisation -> weight (T, D) and bias (T,), arrays or tensors; for none there is nothing to do.
        task: images to train on and to score.
        training: the budget and the optimiser.
        machine: its `side_by_side` replicas are held at once, the others follow; `at_once` images pass together where
            no gradient is wanted, those of several steps if it is so many. Neither changes a result, but for the order
            of sums on a GPU. On a CPU sums of gradients depend on its `threads`.
        checkpoint: where to keep the state; the caller removes it when the outputs are in place.

    Returns:
        The history, one row per step, part, initialisation and class (columns initialisation, step, part, wnid, f1),
        and the final weights and buffers, "<initialisation>/<name in the network>".

    Raises:
        ValueError: heads that do not fit (all of them are named), or logits that are no numbers.
        SystemExit: after SIGTERM, once the state is saved.
    """
    refuse([*unfit_heads(network, heads, task.classes)])
    names, parts, group = list(heads), list(task.evaluation), machine.side_by_side or max(1, len(heads))
    weights: dict[str, Tensor] = {}
    with use_threads(machine.threads), termination() as stop:
        for part in (network.trunk, network.tail, network.head):
            place(part, machine.device).eval()
        network = network._replace(trunk=rounded_once(network.trunk, machine.device, machine.precision))
        if machine.compile:
            compile_on(machine.device, network.trunk)
        strategy.begin(network, machine, training, task.images)
        lockstep = Lockstep(strategy, network, task, checkpoint, stop)
        for start in range(0, len(heads), group):
            weights |= lockstep.train({name: heads[name] for name in names[start : start + group]})
    lockstep.scores.sort(key=lambda score: (score[1], parts.index(score[2]), names.index(score[0])))
    return _history(lockstep.scores, task.classes), weights


class Lockstep:
    """Rounds of runs trained side by side; what has been done of each is kept, and saved for a job that goes on.

    Args:
        strategy: which has begun with this network.
        network: on its device.
        task: what is learnt.
        checkpoint: from which to go on, and where to save.
        stop: an event that asks to save and end.
    """

    def __init__(
        self, strategy: FineTune, network: Network, task: Task, checkpoint: Checkpoint | None, stop: Event
    ) -> None:
        """Read the last state of each run, and the scores so far, if there are any."""
        self.strategy, self.network, self.task = strategy, network, task
        self.training, self.machine = strategy.training, strategy.machine
        self.checkpoint, self.stop = checkpoint, stop
        state = checkpoint.load() if checkpoint is not None else None
        # What is read at each evaluation may stay on the device.
        self.evaluation = near(task.evaluation, self.machine, task.images.batch)
        self.kept: dict[str, Any] = {} if state is None else state["runs"]
        self.scores: Scores = [] if state is None else state["scores"]

    def train(self, heads: Heads) -> dict[str, Tensor]:
        """Train some heads side by side, adding to the scores and states; give their final weights."""
        replicas = self._start(heads)
        optimisers = {name: self.strategy.optimiser(replica) for name, replica in replicas.items()}
        done = {name: _fill(replicas[name], optimisers[name], self.kept.get(name)) for name in replicas}
        first, steps = min(done.values()) + 1, self.training.steps
        if set(replicas) & set(self.kept):
            print(f"resumed at step {max(first - 1, 0)}")
        shared, taken = self._shared(max(first, 1)), Steps(self.strategy, optimisers)
        with tqdm(total=steps, initial=max(first - 1, 0), desc="fine-tune", unit="step", mininterval=5) as progress:
            for step in range(first, steps + 1):
                behind = {name: replica for name, replica in replicas.items() if done[name] < step}
                if step > 0:
                    _show(progress, taken.take(behind, next(shared)))
                if step in self.training.evaluate_at:
                    self._evaluate(step, behind)
                done |= dict.fromkeys(behind, step)
                self._keep(partial(self._state, done, replicas, optimisers), step in self.training.evaluate_at)
        for name, replica in replicas.items():  # on the CPU, as the GPU is for the next ones
            self.kept[name] = {
                "done": steps,
                "replica": {key: value.cpu() for key, value in replica.state_dict().items()},
            }
        return final_weights(replicas, self.network.head_name)

    def _start(self, heads: Heads) -> Replicas:
        """Build one replica per head, each with its own copy of the network's tail."""
        replicas = {name: place(self.strategy.replica(*head), self.machine.device) for name, head in heads.items()}
        for replica in replicas.values() if self.machine.compile else ():
            replica.compile_tail(self.machine.device)
        return replicas

    def _shared(self, first: int) -> Iterator[Step]:
        """Yield what the runs share of each step from one on; as many pass the trunk together as the machine takes.

        These are the same ones wherever a run is resumed, so that its sums are.
        """
        count = max(1, (self.machine.at_once or 0) // self.task.images.batch)
        last, device = self.training.steps, self.machine.device
        starts = range(first - (first - 1) % count, last + 1, count)
        groups = (range(start, min(start + count, last + 1)) for start in starts)
        for group in one_ahead(self._draw, groups, second_thread=device.type == "cuda"):
            yield from (step for step in self.strategy.share_all(group) if step.number >= first)

    def _draw(self, steps: Sequence[int]) -> list[tuple[int, Batch]]:
        features, dropout = self.network.head.in_features, self.training.dropout
        return [(step, draw_step(self.task.images, features, dropout, self.machine.device, step)) for step in steps]

    def _evaluate(self, step: int, replicas: Mapping[str, Replica]) -> None:
        batch = max(self.task.images.batch, SCORED, self.machine.at_once or 0)
        for part, (outputs, labels) in self.evaluation.items():
            found = score(replicas, outputs, labels, batch, self.machine)
            self.scores += [(name, step, part, torch.from_numpy(f1)) for name, f1 in found.items()]

    def _state(
        self, done: Mapping[str, int], replicas: Mapping[str, Replica], optimisers: Optimisers
    ) -> dict[str, Any]:
        current = {
            name: {"done": done[name], "replica": replica.state_dict(), "optimiser": optimisers[name].state_dict()}
            for name, replica in replicas.items()
        }
        return {"runs": {**self.kept, **current}, "scores": self.scores}

    def _keep(self, state: partial[dict[str, Any]], milestone: bool) -> None:
        if self.stop.is_set():
            if self.checkpoint is not None:
                self.checkpoint.save(state())
            raise SystemExit("stopped by SIGTERM; the same command goes on from here")
        if self.checkpoint is not None:
            self.checkpoint.offer(state, milestone)


def _history(scores: Scores, classes: Sequence[str]) -> pd.DataFrame:
    tables = [
        pd.DataFrame({"initialisation": name, "step": step, "part": part, "wnid": list(classes), "f1": f1.numpy()})
        for name, step, part, f1 in scores
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


def _fill(replica: Replica, optimiser: torch.optim.Optimizer, state: Mapping[str, Any] | None) -> int:
    """Fill a replica and its optimiser from a state; give the last step it has taken, -1 without a state."""
    if state is None:
        return -1
    replica.load_state_dict(state["replica"])
    if "optimiser" in state:  # one that has finished needs none
        optimiser.load_state_dict(state["optimiser"])
    return state["done"]


def _show(progress: tqdm, losses: Mapping[str, Tensor]) -> None:
    # Reading a loss waits for the GPU, so only when a line is due.
    if time.time() - progress.last_print_t >= progress.mininterval:
        progress.set_postfix({name: f"{float(loss):.3f}" for name, loss in losses.items()}, refresh=False)
    progress.update()
