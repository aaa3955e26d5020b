"""Hooks of mkdocs: the README as the first page, the API reference, and the catalogue of error messages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tryon", "tasks", "flows")

API = {
    "tryon.agnostic": "Masks",
    "tryon.daflow": "Network",
    "tryon.scoring.compare": "Comparing results",
    "tryon.scoring.score_folder": "Scoring a folder",
    "tryon.metrics": "Metrics",
    "tryon.synthetic.synthesize": "Synthetic data",
    "tryon.export.export": "Export",
    "tryon.manifest.schemas": "Table schemas",
    "tryon.dresscode.labels": "Dress Code labels",
    "tryon.dresscode.readers": "Dress Code readers",
    "tryon.config.parameters": "Parameters",
    "tryon.errors": "Errors",
}
"""Modules of the API reference, with their titles."""


@dataclass(frozen=True)
class Message:
    """An error message in the code; `{…}` stands for a value.

    Args:
        file: path relative to the project.
        line: of the call.
        error: class of the error.
        parts: problem, expected, hint; the source text of what is not a literal is in braces.
    """

    file: str
    line: int
    error: str
    parts: dict[str, str]

    @property
    def text(self) -> str:
        """The message as it is printed, without values."""
        details = [f"found {{{self.parts['found']}}}"] if "found" in self.parts else []
        details += [f"expected {self.parts['expected']}"] if "expected" in self.parts else []
        text = self.parts["problem"] + (f": {', '.join(details)}" if details else "")
        return f"{text}. {self.parts['hint']}" if "hint" in self.parts else text


def collect_messages() -> list[Message]:
    """Collect every construction of a `TryOnError` or subclass in the product code."""
    trees = {path: ast.parse(path.read_text()) for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))}
    errors = _error_classes(trees.values())
    return [message for path, tree in trees.items() for message in _messages(path, tree, errors)]


def _error_classes(trees: Any) -> set[str]:
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = {"TryOnError"}
    while new := {c.name for c in classes if {ast.unparse(base) for base in c.bases} & found} - found:
        found |= new
    return found


def _messages(path: Path, tree: ast.Module, errors: set[str]) -> Iterator[Message]:
    for scope in ast.walk(tree):
        if not isinstance(scope, ast.Module | ast.FunctionDef):
            continue
        names = {
            target.id: node.value
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in _own_nodes(scope):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in errors and node.args:
                values = {"problem": node.args[0]} | {word.arg: word.value for word in node.keywords if word.arg}
                parts = {name: _text(value, names) for name, value in values.items()}
                yield Message(path.relative_to(ROOT).as_posix(), node.lineno, node.func.id, parts)


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a scope, without those of the functions in it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef):
            yield child
            yield from _own_nodes(child)


def _text(node: ast.expr, names: dict[str, ast.expr]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"
            for part in node.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left, names) + _text(node.right, names)
    if isinstance(node, ast.Name) and node.id in names and not isinstance(names[node.id], ast.Name):
        return _text(names[node.id], {})
    return f"{{{ast.unparse(node)}}}"


def message_page() -> str:
    """Return the page that lists every error message by module."""
    lines = [
        "# Error messages",
        "",
        "Every message that the commands print after `error:`, by module. `{…}` stands for a value. A message says what"
        " happened, what was found, what is expected and what to do; the exit code is 2.",
    ]
    file = ""
    for message in collect_messages():
        if message.file != file:
            file = message.file
            lines += ["", f"## `{file}`", ""]
        text = message.text.replace("\n", " ").replace("`", "'")
        lines.append(f"- `{text}`")
    return "\n".join(lines) + "\n"


def api_page() -> str:
    """Return the API reference: one mkdocstrings block per module."""
    blocks = [f"## {title}\n\n::: {module}\n" for module, title in API.items()]
    return "# API reference\n\n" + "\n".join(blocks)


def readme_page() -> str:
    """Return the README with its links rewritten for the site."""
    text = (ROOT / "README.md").read_text()
    text = re.sub(r"\]\(docs/", "](", text)
    return re.sub(
        r"\]\((LICENSE|CONTRIBUTING\.md|CHANGELOG\.md)\)",
        lambda match: f"]({match[1].lower().replace('.md', '')}.md)",
        text,
    )


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages."""
    from mkdocs.structure.files import File

    pages = {
        "index.md": readme_page(),
        "api.md": api_page(),
        "errors.md": message_page(),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text(),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(),
        "license.md": "# Licence\n\n" + (ROOT / "LICENSE").read_text(),
    }
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files
