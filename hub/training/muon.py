# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Muon for the matrices of a transformer's layers and AdamW for all else, as one optimizer.

Muon steps along the momentum of a matrix's gradient after making all its singular values about 1 (K. Jordan et al.,
"Muon: an optimizer for hidden layers in neural networks", 2024). Its steps are scaled here to the size of AdamW's
(J. Liu et al., "Muon is scalable for LLM training", arXiv:2502.16982, section 2.2), so both use one learning rate and
one weight decay. torch.optim.Muon is not used: it takes matrices alone, and always computes in bfloat16, for which
most CPUs have no instructions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch

# Coefficients of an odd polynomial that, applied repeatedly, brings values in (0, 1] near 1 (Jordan et al., 2024).
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
REPETITIONS = 5
ADAMW_STEP_SIZE = 0.2  # the usual root mean square of an entry of AdamW's step (Liu et al., 2025)


def orthogonalized(matrices: torch.Tensor) -> torch.Tensor:
    """Returns matrices with the same singular vectors and with singular values near 1 (about 0.7 to 1.2).

    Args:
        matrices: (number, rows, columns) matrices. On an accelerator they are computed in bfloat16, on a CPU in their
            own type.
    """
    values = matrices.bfloat16() if matrices.device.type != "cpu" else matrices
    is_tall = values.shape[1] > values.shape[2]
    if is_tall:
        values = values.mT
    values = values / (values.norm(dim=(1, 2), keepdim=True) + 1e-7)
    first, second, third = COEFFICIENTS
    for _ in range(REPETITIONS):
        squares = values @ values.mT
        values = first * values + (second * squares + third * squares @ squares) @ values
    return (values.mT if is_tall else values).to(matrices.dtype)


class MuonWithAdamW(torch.optim.Optimizer):
    """Applies Muon to the groups with `muon=True`, and AdamW to the others.

    Args:
        params: Parameters or groups of parameters. Those of a Muon group must be matrices.
        lr: The learning rate.
        momentum: The momentum of Muon.
        betas: The decay rates of the moments of AdamW.
        eps: The term that AdamW adds to the denominator.
        weight_decay: Decoupled weight decay, of both.

    Raises:
        ValueError: A parameter of a Muon group is not a matrix.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.1,
    ):
        defaults = {
            "lr": lr, "momentum": momentum, "betas": betas, "eps": eps, "weight_decay": weight_decay, "muon": False
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            shapes = [tuple(parameter.shape) for parameter in group["params"] if parameter.ndim != 2]
            if group["muon"] and shapes:
                raise ValueError(f"Muon's parameters must be matrices, got one of shape {shapes[0]}")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            (self._muon if group["muon"] else self._adamw)(parameters, group)
        return loss

    def _muon(self, parameters: list[torch.Tensor], group: dict[str, Any]) -> None:
        # Matrices of one shape are orthogonalized together.
        of_shape = defaultdict(list)
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            state["momentum"].mul_(group["momentum"]).add_(parameter.grad)
            of_shape[parameter.shape].append(parameter)
        for shape, alike in of_shape.items():
            updates = torch.stack(
                [one.grad.add(self.state[one]["momentum"], alpha=group["momentum"]) for one in alike]
            )
            size = group["lr"] * ADAMW_STEP_SIZE * max(shape) ** 0.5
            for parameter, update in zip(alike, orthogonalized(updates), strict=True):
                parameter.mul_(1 - group["lr"] * group["weight_decay"]).sub_(update, alpha=size)

    def _adamw(self, parameters: list[torch.Tensor], group: dict[str, Any]) -> None:
        first_beta, second_beta = group["betas"]
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state["step"] = torch.tensor(0.0)
                state["mean"] = torch.zeros_like(parameter)
                state["square"] = torch.zeros_like(parameter)
            state["step"] += 1
            number = state["step"].item()
            state["mean"].lerp_(parameter.grad, 1 - first_beta)
            state["square"].mul_(second_beta).addcmul_(parameter.grad, parameter.grad, value=1 - second_beta)
            root = (state["square"] / (1 - second_beta**number)).sqrt_().add_(group["eps"])
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.addcdiv_(state["mean"], root, value=-group["lr"] / (1 - first_beta**number))


def muon_with_adamw(
    model: torch.nn.Module, decayed: Iterable[str], *, matrix_ratio: float = 1.0, lr: float, **options: Any
) -> MuonWithAdamW:
    """Makes the optimizer of a model: Muon for the matrices in its `layers`, AdamW for embeddings, output and norms.

    Args:
        model: The model.
        decayed: The names of the parameters that get weight decay.
        matrix_ratio: The learning rate of the matrices, in units of `lr`.
        lr: The learning rate.
        options: Arguments of `MuonWithAdamW`.
    """
    decayed = set(decayed)
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    undecayed: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        is_matrix = parameter.ndim == 2 and ".layers." in f".{name}"
        (undecayed if name not in decayed else matrices if is_matrix else others).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": matrices, "muon": True, "lr": lr * matrix_ratio},
        {"params": others},
        {"params": undecayed, "weight_decay": 0.0},
    ]
    return MuonWithAdamW([group for group in groups if group["params"]], lr=lr, **options)
