"""What is watched while a model trains: its losses, and whether going on still pays.

The points of the curve live in the trainer's own log, which its checkpoints keep. The dev loss is
measured at the last step of an epoch, before a checkpoint of that step is written, so that no
interruption loses one. It does not know how the model is trained or where it is saved.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback, TrainerState

from tuneornot.errors import Diverged
from tuneornot.records import CurvePoint
from tuneornot.training.examples import Example
from tuneornot.training.trainer import AnswerTrainer, mean_loss

BEST, STATE = "best.safetensors", "trainer_state.json"

OnPoint = Callable[[CurvePoint, float], None]
"""Told each point of the curve, and the share of the updates that is done."""


class Watcher(TrainerCallback):
    """Measures dev loss, tells the points as they come, and stops a training that is over.

    Args:
        trainer: whose model, log and folder of checkpoints are used.
        dev: examples whose loss is measured at the start and after each epoch; may be empty.
        on_point: told of each point.
        patience: epochs without a lower dev loss that end the training; ``None`` for no such end.
    """

    def __init__(
        self,
        trainer: AnswerTrainer,
        dev: Sequence[Example],
        on_point: OnPoint | None,
        *,
        patience: int | None,
    ) -> None:
        self.trainer = trainer
        self.dev = dev
        self.on_point = on_point
        self.patience = patience
        self.best = Path(cast(str, trainer.args.output_dir)) / BEST
        self.began = time.perf_counter()

    def had_ended(self, checkpoint: str) -> bool:
        """Whether a checkpoint is of the very step at which patience ended the training.

        The trainer would train one step more before it saw that; instead its log is taken up.
        """
        state = TrainerState.load_from_json(str(Path(checkpoint) / STATE))
        if not self._is_over(state):
            return False
        self.trainer.state = state
        self._take_up_time(state)
        return True

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The first point, where nothing was trained yet."""
        self._take_up_time(state)
        if not state.global_step:
            self._measure_dev()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """At the end of an epoch: the dev loss, the best weights, and whether it is over."""
        if state.global_step % (state.max_steps // round(args.num_train_epochs)):
            return
        self._measure_dev()
        losses = _after_epochs(state)
        if self.patience is not None and losses and losses[-1] < min([math.inf, *losses[:-1]]):
            self.best.parent.mkdir(parents=True, exist_ok=True)
            save_file({name: one.detach() for name, one in self._trained()}, self.best)
        control.should_training_stop |= self._is_over(state)

    def restore_best(self) -> None:
        """Put the weights of the epoch of least dev loss back, where a patience asks for it."""
        if self.patience is None or not self.dev:
            return
        held = load_file(self.best)
        with torch.no_grad():
            for name, one in self._trained():
                one.copy_(held[name])

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A training loss: told, and refused where it is no number."""
        entry = state.log_history[-1]
        entry["elapsed"] = time.perf_counter() - self.began
        if "loss" in entry and not math.isfinite(entry["loss"]):
            raise Diverged(
                f"A training's loss must stay a finite number, found {entry['loss']!r} at step "
                f"{state.global_step} of {state.max_steps} with rate {args.learning_rate!r}. "
                "Lower the recipe's rate, for example by ten."
            )
        self._tell(entry)

    def curve(self) -> tuple[CurvePoint, ...]:
        """All points, those of before an interruption as well."""
        points = (_point(entry) for entry in self.trainer.state.log_history)
        return tuple(point for point in points if point is not None)

    def seconds(self) -> float:
        """Time spent, of interrupted attempts what their last checkpoint kept."""
        return time.perf_counter() - self.began

    def _is_over(self, state: TrainerState) -> bool:
        losses = _after_epochs(state)
        if self.patience is None or not losses:
            return False
        return len(losses) - 1 - losses.index(min(losses)) >= self.patience

    def _measure_dev(self) -> None:
        if self.dev:
            state = self.trainer.state
            loss = mean_loss(cast(torch.nn.Module, self.trainer.model), self.dev)
            entry = {"dev_loss": loss, "step": state.global_step, "epoch": state.epoch or 0.0}
            state.log_history.append(entry | {"elapsed": time.perf_counter() - self.began})
            self._tell(entry)

    def _trained(self) -> list[tuple[str, torch.nn.Parameter]]:
        named = cast(torch.nn.Module, self.trainer.model).named_parameters()
        return [(name, one) for name, one in named if one.requires_grad]

    def _take_up_time(self, state: TrainerState) -> None:
        log = state.log_history
        self.began = time.perf_counter() - (log[-1].get("elapsed", 0.0) if log else 0.0)

    def _tell(self, entry: dict[str, float]) -> None:
        point = _point(entry)
        if point is not None and self.on_point is not None:
            self.on_point(point, point.step / self.trainer.state.max_steps)


def _after_epochs(state: TrainerState) -> list[float]:
    """Dev loss after each epoch: without the first one, before anything was learnt."""
    return [entry["dev_loss"] for entry in state.log_history if "dev_loss" in entry][1:]


def _point(entry: dict[str, float]) -> CurvePoint | None:
    if "loss" not in entry and "dev_loss" not in entry:
        return None
    return CurvePoint(
        step=int(entry["step"]),
        epoch=float(entry["epoch"]),
        train_loss=entry.get("loss"),
        dev_loss=entry.get("dev_loss"),
    )
