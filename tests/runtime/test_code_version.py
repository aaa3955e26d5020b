"""The code version of a module depends on its import closure only."""

import shutil
import sys

import pytest

from tryon.runtime import code_version as module


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package that replaces `tryon` in the module under test."""
    root = tmp_path / "tryon"
    for path, text in {
        "__init__.py": "",
        "a/__init__.py": "",
        "a/stage.py": "from tryon.b import thing\nimport json\n\ndef f():\n    from tryon import late\n",
        "b.py": "from . import c\n",
        "c.py": "",
        "late.py": "",
        "other.py": "import tryon.a.stage\n",
    }.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    module.code_version.cache_clear()
    yield root
    module.code_version.cache_clear()


def closure(package, name):
    return [path.relative_to(package).as_posix() for path in module.import_closure(name)]


def test_closure_includes_imports_inside_functions(package):
    assert closure(package, "tryon.a.stage") == [
        "__init__.py",
        "a/__init__.py",
        "a/stage.py",
        "b.py",
        "c.py",
        "late.py",
    ]


def test_version_changes_with_imported_code_only(package):
    before = module.code_version("tryon.a.stage")
    (package / "other.py").write_text("changed = True\n")
    module.code_version.cache_clear()
    assert module.code_version("tryon.a.stage") == before
    (package / "c.py").write_text("changed = True\n")
    module.code_version.cache_clear()
    assert module.code_version("tryon.a.stage") != before


def test_version_is_independent_of_location(package, tmp_path, monkeypatch):
    before = module.code_version("tryon.a.stage")
    moved = tmp_path / "elsewhere"
    shutil.copytree(package, moved / "tryon")
    monkeypatch.setattr(module, "ROOT", moved)
    module.code_version.cache_clear()
    assert module.code_version("tryon.a.stage") == before


def test_closure_contains_all_loaded_modules():
    """Modules loaded by an import are in the static closure; modules of other tests are unloaded first."""
    name = "tryon.dresscode.pose"
    static = {path.resolve() for path in module.import_closure(name)}
    before = {key: sys.modules.pop(key) for key in list(sys.modules) if key.partition(".")[0] == "tryon"}
    try:
        __import__(name)
        loaded = {key: m for key, m in sys.modules.items() if key.partition(".")[0] == "tryon"}
        files = {module.Path(str(m.__file__)).resolve() for m in loaded.values()}
    finally:
        for key in [key for key in sys.modules if key.partition(".")[0] == "tryon"]:
            del sys.modules[key]
        sys.modules.update(before)
    assert files <= static
