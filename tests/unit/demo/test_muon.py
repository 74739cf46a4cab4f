"""Our Muon takes the steps that PyTorch's takes, in single precision."""

from __future__ import annotations

import importlib

import pytest

torch = pytest.importorskip("torch", reason="torch comes with vLLM")
muon = importlib.import_module("gatekeeper.demo.muon")


@pytest.mark.parametrize("shape", [(64, 64), (96, 32), (32, 96)])
def test_it_steps_as_pytorchs_own(shape: tuple[int, int]) -> None:
    torch.manual_seed(3)
    ours = torch.nn.Parameter(torch.randn(shape))
    theirs = torch.nn.Parameter(ours.detach().clone())
    mine = muon.Muon([ours])
    peer = torch.optim.Muon([theirs], lr=0.0, weight_decay=0.0, momentum=0.95)
    for _ in range(6):
        gradient = torch.randn(shape)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        for optimizer in (mine, peer):
            optimizer.param_groups[0]["lr"] = 0.01
            optimizer.step()
    moved = (ours - theirs).norm() / (6 * 0.01 * min(shape) ** 0.5)
    assert moved < 0.05  # bfloat16 has 8 bits


def test_singular_values_come_near_one_and_a_zero_gradient_stays_zero() -> None:
    torch.manual_seed(4)
    values = torch.linalg.svdvals(muon.orthogonal(torch.randn(48, 80)))
    assert 0.6 < values.min() <= values.max() < 1.3
    assert muon.orthogonal(torch.zeros(8, 4)).abs().max() == 0
