"""Shapes by rule are PyTorch's own, and importing its compiler is what they spare."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from a3d.adaptive.shape_rules import RULES, ShapeRules

X = torch.empty(2, 6, 5, 9, 8, device="meta")
CASES = {
    "conv3d": lambda: F.conv3d(X, torch.empty(4, 3, 3, 3, 1, device="meta"), None, (1, 2, 2), (1, 0, 2), (1, 2, 1), 2),
    "max_pool3d": lambda: F.max_pool3d(X, (1, 3, 3), (1, 2, 2), (0, 1, 1)),
    "max_pool3d plain": lambda: F.max_pool3d(X, 2),
    "mean": lambda: X.mean((2, 3, 4)),
    "mean kept": lambda: torch.mean(X, -1, keepdim=True),
    "cat": lambda: torch.cat([X, X[:, :2]], 1),
    "linear": lambda: F.linear(X, torch.empty(3, 8, device="meta")),
    "add spread": lambda: X + X.mean((2, 3, 4), keepdim=True),
    "mul by a number": lambda: 2 * X,
    "relu": lambda: F.relu(X),
}
WRONG = {
    "conv3d": lambda: F.conv3d(X, torch.empty(4, 5, 1, 1, 1, device="meta")),
    "conv3d too small": lambda: F.conv3d(X, torch.empty(4, 6, 7, 1, 1, device="meta")),
    "add": lambda: X + X[:, :4],
    "cat": lambda: torch.cat([X, X[:, :, :2]], 1),
    "linear": lambda: F.linear(X, torch.empty(3, 7, device="meta")),
}


@pytest.mark.parametrize("name", CASES)
def test_as_pytorch_has_them(name):
    with ShapeRules():
        found = CASES[name]()
    assert found.is_meta and found.shape == CASES[name]().shape and name.split()[0] in {*RULES, "add", "mul"}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_pytorchs_error(name):
    with ShapeRules(), pytest.raises(RuntimeError) as caught:
        WRONG[name]()
    with pytest.raises(RuntimeError) as own:
        WRONG[name]()
    assert str(caught.value) == str(own.value)


def test_a_prediction_imports_no_compiler():
    code = """
import sys, torch, a3d
from a3d.budgets.cost import cost
network = a3d.load("checkpoints/exercise12")
row = network.table.choose(gflops=0.2)
sub = network.resident(row.configuration)
with torch.inference_mode():
    sub(torch.zeros(1, 3, 4, 224, 224))
cost(network, row.configuration)
unwanted = {"torch._dynamo", "sympy", "torchvision", "plotly", "streamlit", "pandas", "pytorch_grad_cam", "openvino"}
assert not unwanted & set(sys.modules), unwanted & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)
