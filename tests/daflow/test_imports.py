"""The network runs on a bare GPU machine: it imports only the standard library, torch and the errors."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import tryon.daflow

FILES = sorted(Path(tryon.daflow.__file__).parent.rglob("*.py"))
ALLOWED = ("torch", "torchvision", "tryon.daflow", "tryon.errors")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem if file.stem != "__init__" else file.parent.name)
def test_imports_nothing_but_torch_and_errors(file):
    names = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    third_party = [name for name in names if name.partition(".")[0] not in sys.stdlib_module_names]
    assert [name for name in third_party if not name.startswith(ALLOWED)] == []
