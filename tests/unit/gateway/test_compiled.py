"""What is compiled can be: mypyc drops the annotations that msgspec and dataclasses read at run time."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HOOKS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]
MODULES = HOOKS["custom"]["modules"]


@pytest.mark.parametrize("module", MODULES)
def test_a_compiled_module_defines_no_class_whose_annotations_are_read(module: str):
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.ClassDef):
            told = " ".join(map(ast.unparse, [*node.bases, *node.decorator_list]))
            assert "Struct" not in told, f"{node.name}: move it to a module that is not compiled"
            assert "dataclass" not in told, f"{node.name}: write its __init__, or move it"


def test_the_whole_request_path_is_compiled():
    hot = {"server", "upstream", "quick", "attempt", "way", "route", "opening", "heads", "outbox", "recorder"}
    assert {f"gatekeeper/gateway/{name}.py" for name in hot} <= set(MODULES)
