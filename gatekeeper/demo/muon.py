"""Muon in single precision: an optimizer of matrices that is quick on any CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_STEPS, _EPS = 5, 1e-7


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """Return the matrix (rows by columns) with its singular values brought near 1, in the matrix's own precision.

    By five steps of a quintic Newton-Schulz iteration (Jordan, "Muon", 2024). PyTorch's own Muon takes them in
    bfloat16, which a CPU without instructions for it multiplies ten times slower than float32.
    """
    tall = matrix.size(0) > matrix.size(1)
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp(min=_EPS)
    a, b, c = _COEFFICIENTS
    for _ in range(_STEPS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):  # type: ignore[misc]  # torch is optional and untyped
    """Step along the orthogonalised Nesterov momentum of each matrix (Jordan, 2024)."""

    def __init__(self, matrices: Iterable[torch.Tensor], *, momentum: float = 0.95) -> None:
        """Take the matrices; the learning rate is set on the parameter groups before each step."""
        super().__init__(matrices, {"lr": 0.0, "momentum": momentum})

    @torch.no_grad()  # type: ignore[untyped-decorator]  # as above
    def step(self) -> None:
        """Take one step; matrices without a gradient stay."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum"] = torch.zeros_like(matrix)
                average = state["momentum"].lerp_(matrix.grad, 1 - group["momentum"])
                update = orthogonal(matrix.grad.lerp(average, group["momentum"]))
                scale = max(1.0, matrix.size(0) / matrix.size(1)) ** 0.5
                matrix.add_(update, alpha=-group["lr"] * scale)
