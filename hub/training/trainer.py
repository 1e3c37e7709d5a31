# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`transformers.Trainer` for mixtures: weighted loss, a log of each task, and checkpoints that are whole or absent."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import SequentialSampler
from transformers import Trainer

from .errors import TrainingError
from .loss import token_losses
from .mixture import LABEL_KINDS, Mixture
from .muon import muon_with_adamw

PARTIAL_FOLDER = ".partial-checkpoints"


class MixtureTrainer(Trainer):
    """Trains on a `Mixture`.

    The loss is the mean over the labels of the whole batch, that is, of all processes and accumulated micro-batches.
    Labels are weighted by kind and by part. Logged with it are the loss of each task and of each kind of label, tokens
    per second, the share of positions with a label, and the share of time spent waiting for data.

    Args:
        mixture: The training data.
        label_weights: The weight of each of `LABEL_KINDS`. The default is 1.
        soft_bins: See `token_losses`.
        schedule: Returns the learning rate of a step, in units of `TrainingArguments.learning_rate`. The default is
            the schedule of `TrainingArguments`.
        matrix_learning_rate_ratio: Train with Muon (see `muon_with_adamw`), whose matrices get this many times the
            learning rate. The default is to train with AdamW alone.
        kwargs: Arguments of `Trainer`.

    Raises:
        TrainingError: A checkpoint could not be written. The checkpoint before it is whole.
    """

    optimizer: Any  # of `Trainer`
    lr_scheduler: Any

    def __init__(
        self,
        *,
        mixture: Mixture,
        label_weights: Mapping[Any, float] | None = None,
        soft_bins: float = 0.0,
        schedule: Callable[[int], float] | None = None,
        matrix_learning_rate_ratio: float | None = None,
        **kwargs: Any,
    ):
        self._schedule = schedule
        self._matrix_learning_rate_ratio = matrix_learning_rate_ratio
        super().__init__(train_dataset=mixture, data_collator=mixture.collate, **kwargs)
        self.mixture = mixture
        self.soft_bins = soft_bins
        weights = dict(label_weights or {})
        of_kinds = torch.tensor([float(weights.get(kind, 1.0)) for kind in LABEL_KINDS], device=self.args.device)
        of_parts = torch.tensor([float(part.label_weight) for part in mixture.parts], device=self.args.device)
        self._weights = of_parts[:, None] * of_kinds  # (parts, kinds)
        # Parts of one name are logged together.
        self._names = list(dict.fromkeys(part.name for part in mixture.parts))
        places = [self._names.index(part.name) for part in mixture.parts]
        self._name_of_part = torch.tensor(places, device=self.args.device)
        # Sums of losses (row 0) and numbers of labels (row 1) since the last log: of each name, then of each kind.
        size = (2, len(self._names) + len(LABEL_KINDS))
        self._sums = torch.zeros(size, dtype=torch.float64, device=self.args.device)
        self._tokens = 0
        self._waited = 0.0
        self._since = time.monotonic()

    # -----------------------------------------------------------------------------------------------------------
    # Data
    # -----------------------------------------------------------------------------------------------------------

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        # The rows of a mixture are in random order already.
        return SequentialSampler(self.train_dataset)

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: torch.device) -> tuple[list, Any]:
        started = time.monotonic()
        batches, num_items = super().get_batch_samples(epoch_iterator, num_batches, device)
        self._waited += time.monotonic() - started
        return batches, num_items

    def _get_num_items_in_batch(self, batch_samples: list, device: torch.device) -> torch.Tensor | None:
        """Returns the sum of the weights of all labels of a step, over all processes."""
        if not batch_samples:
            return None
        total = sum(
            (self._weights_of(batch["part_ids"][:, None], batch["label_kinds"]) * (batch["labels"] != -100)).sum()
            for batch in batch_samples
        ).to(device)
        if self.args.world_size > 1:
            total = self.accelerator.gather(total).sum()
        # A step without labels has loss 0; a mean over nothing would be NaN.
        return torch.where(total > 0, total, 1.0)

    def _weights_of(self, parts: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        return self._weights.to(kinds.device)[parts, kinds.long()]

    # -----------------------------------------------------------------------------------------------------------
    # Optimizer and schedule
    # -----------------------------------------------------------------------------------------------------------

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        if self._matrix_learning_rate_ratio is None or self.optimizer is not None:
            return super().create_optimizer(model)
        model = self.model if model is None else model
        self.optimizer = muon_with_adamw(
            model,
            self.get_decay_parameter_names(model),
            matrix_ratio=self._matrix_learning_rate_ratio,
            lr=self.args.learning_rate,
            betas=(self.args.adam_beta1, self.args.adam_beta2),
            eps=self.args.adam_epsilon,
            weight_decay=self.args.weight_decay,
        )
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> Any:
        if self._schedule is None or self.lr_scheduler is not None:
            return super().create_scheduler(num_training_steps, optimizer)
        self.lr_scheduler = LambdaLR(self.optimizer if optimizer is None else optimizer, self._schedule)
        return self.lr_scheduler

    # -----------------------------------------------------------------------------------------------------------
    # Loss
    # -----------------------------------------------------------------------------------------------------------

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        inputs = dict(inputs)
        labels, kinds, parts = (inputs.pop(name) for name in ("labels", "label_kinds", "part_ids"))
        targets = F.pad(labels, (0, 1), value=-100)[:, 1:]
        is_labelled = targets != -100
        outputs = model(**inputs, logits_to_keep=is_labelled)
        targets = targets[is_labelled]
        kinds = F.pad(kinds, (0, 1))[:, 1:][is_labelled].long()
        losses = token_losses(outputs.logits, targets, self.mixture.processor.vocabulary.continuous, self.soft_bins)
        parts = parts[torch.where(is_labelled)[0]]
        weights = self._weights_of(parts, kinds)
        if num_items_in_batch is None:
            num_items_in_batch = weights.sum().clamp(min=1e-9)
        loss = (losses * weights).sum() / num_items_in_batch
        if self.args.world_size > 1:
            loss = loss * self.args.world_size  # DDP averages the gradients over the processes
        with torch.no_grad():
            self._count(losses.detach().double(), self._name_of_part[parts], kinds)
            self._tokens += labels.numel()
        return (loss, outputs) if return_outputs else loss

    def _count(self, losses: torch.Tensor, names: torch.Tensor, kinds: torch.Tensor) -> None:
        for where in (names, kinds + len(self._names)):
            self._sums[0].index_add_(0, where, losses)
            self._sums[1].index_add_(0, where, torch.ones_like(losses))

    # -----------------------------------------------------------------------------------------------------------
    # Log
    # -----------------------------------------------------------------------------------------------------------

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs:
            logs = logs | self._interval_logs()
        super().log(logs, start_time)

    def _interval_logs(self) -> dict[str, float]:
        sums, tokens = self._sums.clone(), torch.tensor(self._tokens, device=self._sums.device)
        if self.args.world_size > 1:
            sums = self.accelerator.reduce(sums)
            tokens = self.accelerator.reduce(tokens)
        seconds = time.monotonic() - self._since
        logs = {
            "tokens_per_second": int(tokens) / seconds,
            "waiting_share": self._waited / seconds,
            "labelled_share": float(sums[1, -len(LABEL_KINDS) :].sum()) / max(1, int(tokens)),
        }
        names = [f"loss/{name}" for name in (*self._names, *LABEL_KINDS)]
        for name, total, count in zip(names, *sums.tolist(), strict=True):
            if count:
                logs[name] = total / count
        self._sums.zero_()
        self._tokens, self._waited, self._since = 0, 0.0, time.monotonic()
        return logs

    # -----------------------------------------------------------------------------------------------------------
    # Checkpoints
    # -----------------------------------------------------------------------------------------------------------

    def _get_output_dir(self, trial: Any) -> str:
        # Checkpoints are written to a hidden folder, and moved out of it when they are whole.
        return str(Path(super()._get_output_dir(trial)) / PARTIAL_FOLDER)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        folder = Path(self.args.output_dir)
        name = f"checkpoint-{self.state.global_step}"
        if self.args.should_save:
            shutil.rmtree(folder / PARTIAL_FOLDER, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        try:
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError, SafetensorError) as error:  # torch.save raises RuntimeError on a full disk
            shutil.rmtree(folder / PARTIAL_FOLDER, ignore_errors=True)
            free = shutil.disk_usage(folder).free
            raise TrainingError(
                f"{folder / name} could not be written, with {free / 2**20:.0f} MiB left on the disk: {error}"
            ) from error
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / PARTIAL_FOLDER / name).replace(folder / name)
            shutil.rmtree(folder / PARTIAL_FOLDER, ignore_errors=True)
            kept = self.args.save_total_limit or 1
            for _, old in whole_checkpoints(folder)[:-kept]:
                shutil.rmtree(old, ignore_errors=True)
        self.accelerator.wait_for_everyone()


def whole_checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """Returns (step, folder) of each checkpoint in a folder, in the order of their steps."""
    found = []
    for path in folder.glob("checkpoint-*"):
        step = path.name.removeprefix("checkpoint-")
        # The trainer writes its state last.
        if step.isdecimal() and (path / "trainer_state.json").is_file():
            found.append((int(step), path))
    return sorted(found)
