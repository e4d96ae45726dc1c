"""Fine-tune one network from several heads in lockstep: the same crops, batches and dropout for all of them.

The frozen trunk runs once per batch and feeds one tail and head per initialisation. Everything random is keyed, on
(seed, name, epoch) for crops, (seed, shots, epoch) for the order and (seed, step) for dropout, so a run's result does
not depend on the runs beside it.

Letters in shapes: N images, T target classes, D features of the last layer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from headstart.finetuning.batches import Batch, TrainingImages, draw_step
from headstart.finetuning.faults import Evaluation, require_fitting
from headstart.finetuning.replicas import SCORED, Replica, final_weights, score, start_replicas
from headstart.finetuning.strategies import STRATEGIES
from headstart.jobs.checkpoints import Checkpoint, termination
from headstart.machine.computing import compile_on, forward_in
from headstart.machine.prefetch import one_ahead
from headstart.networks.backbones import Network, place, use_threads
from headstart.networks.embedding import frozen_pass

Optimisers = Mapping[str, torch.optim.Optimizer]
Scores = list[tuple[str, int, str, Tensor]]  # initialisation, step, part, F-score of each class (T,)


def train_lockstep(
    *,
    network: Network,
    heads: Mapping[str, tuple[Any, Any]],
    classes: Sequence[str],
    images: TrainingImages,
    evaluation: Evaluation,
    steps: int,
    evaluate_at: Sequence[int],
    device: torch.device,
    threads: int,
    strategy: str = "finetune",
    learning_rate: float = 1e-3,
    betas: Sequence[float] = (0.9, 0.999),
    eps: float = 1e-8,
    dropout: float = 0.75,
    batch_norm: str = "train",
    precision: str = "float32",
    compile: bool = False,
    side_by_side: int | None = None,
    at_once: int | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[pd.DataFrame, dict[str, Tensor]]:
    """Train one replica of the network per head, and score each at the given steps.

    Args:
        network: as cut; its trunk stays frozen and its tail is copied, neither changes.
        heads: initialisation -> weight (T, D) and bias (T,), arrays or tensors.
        classes: wnids of the targets, T.
        images: to train on.
        evaluation: part -> the trunk's output for its images, from `cache_trunk`, and their labels.
        steps: of the optimiser, the same for every initialisation.
        evaluate_at: steps after which to score; 0 = as initialised.
        threads: of the CPU; sums of gradients depend on it in the last bits.
        strategy: name of the loss, a key of STRATEGIES.
        learning_rate, betas, eps: of Adam.
        dropout: probability of dropping a feature before the head.
        batch_norm: of the trained blocks, "train" (statistics of the batch) or "eval" (those of pretraining).
        precision: of a GPU, a key of PRECISIONS.
        compile: trunk and tails, if on a GPU.
        side_by_side: replicas that are held at once; the others follow. None holds all. Changes no result.
        at_once: images that pass together where no gradient is wanted; None takes a batch. Changes no result.
        checkpoint: where to keep the state; the caller removes it when the outputs are in place.

    Returns:
        The history, one row per step, part, initialisation and class (columns initialisation, step, part, wnid, f1),
        and the final weights and buffers, "<initialisation>/<name in the network>".

    Raises:
        ValueError: arguments that do not fit together (all of them are named), or logits that are no numbers.
        SystemExit: after SIGTERM, once the state is saved.
    """
    require_fitting(network, heads, classes, images, evaluation, steps, evaluate_at, strategy, dropout, batch_norm)
    names, parts, group = list(heads), list(evaluation), side_by_side or len(heads)
    weights: dict[str, Tensor] = {}
    with use_threads(threads), termination() as stop:
        for part in (network.trunk, network.tail, network.head):
            place(part, device).eval()
        if compile:
            compile_on(device, network.trunk)
        kept, scores = _resume(checkpoint)
        for start in range(0, len(heads), group):
            weights |= _train_round(
                network,
                {name: heads[name] for name in names[start : start + group]},
                images,
                evaluation,
                kept,
                scores,
                checkpoint,
                stop,
                steps=steps,
                evaluate_at=evaluate_at,
                device=device,
                strategy=strategy,
                adam={"lr": learning_rate, "betas": (betas[0], betas[1]), "eps": eps},
                dropout=dropout,
                batch_norm=batch_norm,
                precision=precision,
                compile=compile,
                at_once=at_once,
            )
    scores.sort(key=lambda score: (score[1], parts.index(score[2]), names.index(score[0])))
    return _history(scores, classes), weights


def evaluation_steps(steps: int, count: int) -> list[int]:
    """List 0, 1 and further steps up to the last, even in the logarithm of the step; at most `count` of them.

    Raises ValueError for fewer than one step or fewer than two evaluations.

    >>> evaluation_steps(64, 8)
    [0, 1, 2, 4, 8, 16, 32, 64]
    """
    if steps < 1 or count < 2:
        raise ValueError(f"expected at least 1 step and 2 evaluations (first and last), got {steps} and {count}")
    if count == 2:
        return [0, steps]
    return [0, *np.unique(np.geomspace(1, steps, count - 1).round().astype(int)).tolist()]


def _train_round(
    network: Network,
    heads: Mapping[str, tuple[Any, Any]],
    images: TrainingImages,
    evaluation: Evaluation,
    kept: dict[str, Any],
    scores: Scores,
    checkpoint: Checkpoint | None,
    stop: Event,
    *,
    steps: int,
    evaluate_at: Sequence[int],
    device: torch.device,
    strategy: str,
    adam: Mapping[str, Any],
    dropout: float,
    batch_norm: str,
    precision: str,
    compile: bool,
    at_once: int | None,
) -> dict[str, Tensor]:
    """Train some heads side by side, adding to `scores` and to the states `kept`; give their final weights."""
    replicas = start_replicas(network, heads, batch_norm, device, compile)
    optimisers = {
        name: torch.optim.Adam(replica.parameters(), fused=True, **adam) for name, replica in replicas.items()
    }
    done = {name: _fill(replicas[name], optimisers[name], kept.get(name)) for name in replicas}
    first = min(done.values()) + 1
    if set(replicas) & set(kept):
        print(f"resumed at step {first - 1}")
    draw = partial(draw_step, images, network.head.in_features, dropout, device)
    batches = one_ahead(draw, range(max(first, 1), steps + 1), second_thread=device.type == "cuda")
    with tqdm(total=steps, initial=max(first - 1, 0), desc="fine-tune", unit="step", mininterval=5) as progress:
        for step in range(first, steps + 1):
            behind = {name: replica for name, replica in replicas.items() if done[name] < step}
            if step > 0:
                losses = _train_step(next(batches), network, behind, optimisers, strategy, precision, at_once)
                _show(progress, losses)
            if step in evaluate_at:
                scores += _evaluate(step, behind, evaluation, max(images.batch, SCORED), device, precision, at_once)
            done |= dict.fromkeys(behind, step)
            state = partial(_state, kept, scores, done, replicas, optimisers)
            _keep(checkpoint, state, step in evaluate_at, stop.is_set())
    for name, replica in replicas.items():  # on the CPU, as the GPU is for the next ones
        kept[name] = {"done": steps, "replica": {key: value.cpu() for key, value in replica.state_dict().items()}}
    return final_weights(replicas, network.head_name)


def _train_step(
    batch: Batch,
    network: Network,
    replicas: Mapping[str, Replica],
    optimisers: Optimisers,
    strategy: str,
    precision: str,
    at_once: int | None,
) -> dict[str, Tensor]:
    """Take one step with every replica; give their losses."""
    inputs, labels, mask = batch
    with torch.no_grad(), forward_in(inputs.device, precision):
        outputs = frozen_pass(network.trunk, inputs, at_once)
    losses = {}
    for name, replica in replicas.items():
        with forward_in(inputs.device, precision):
            features, logits = replica(outputs, mask)
            loss = STRATEGIES[strategy](replica, network, features, logits, labels)
        optimisers[name].zero_grad()
        loss.backward()
        optimisers[name].step()
        losses[name] = loss.detach()
    return losses


def _evaluate(
    step: int,
    replicas: Mapping[str, Replica],
    evaluation: Evaluation,
    batch: int,
    device: torch.device,
    precision: str,
    at_once: int | None,
) -> Scores:
    return [
        (name, step, part, torch.from_numpy(f1))
        for part, (outputs, labels) in evaluation.items()
        for name, f1 in score(replicas, outputs, labels, batch, device, precision, at_once).items()
    ]


def _history(scores: Scores, classes: Sequence[str]) -> pd.DataFrame:
    tables = [
        pd.DataFrame({"initialisation": name, "step": step, "part": part, "wnid": list(classes), "f1": f1.numpy()})
        for name, step, part, f1 in scores
    ]
    return pd.concat(tables, ignore_index=True)


def _state(
    kept: Mapping[str, Any],
    scores: Scores,
    done: Mapping[str, int],
    replicas: Mapping[str, Replica],
    optimisers: Optimisers,
) -> dict[str, Any]:
    current = {
        name: {"done": done[name], "replica": replica.state_dict(), "optimiser": optimisers[name].state_dict()}
        for name, replica in replicas.items()
    }
    return {"runs": {**kept, **current}, "scores": scores}


def _resume(checkpoint: Checkpoint | None) -> tuple[dict[str, Any], Scores]:
    """Give the last state of each initialisation, and the scores so far."""
    state = checkpoint.load() if checkpoint is not None else None
    return ({}, []) if state is None else (state["runs"], state["scores"])


def _fill(replica: Replica, optimiser: torch.optim.Optimizer, state: Mapping[str, Any] | None) -> int:
    """Fill a replica and its optimiser from a state; give the last step it has taken, -1 without a state."""
    if state is None:
        return -1
    replica.load_state_dict(state["replica"])
    if "optimiser" in state:  # one that has finished needs none
        optimiser.load_state_dict(state["optimiser"])
    return state["done"]


def _keep(checkpoint: Checkpoint | None, state: partial[dict[str, Any]], milestone: bool, stop: bool) -> None:
    if stop:
        if checkpoint is not None:
            checkpoint.save(state())
        raise SystemExit("stopped by SIGTERM; the same command goes on from here")
    if checkpoint is not None:
        checkpoint.offer(state, milestone)


def _show(progress: tqdm, losses: Mapping[str, Tensor]) -> None:
    # Reading a loss waits for the GPU, so only when a line is due.
    if time.time() - progress.last_print_t >= progress.mininterval:
        progress.set_postfix({name: f"{float(loss):.3f}" for name, loss in losses.items()}, refresh=False)
    progress.update()
