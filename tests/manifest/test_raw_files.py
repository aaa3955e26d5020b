from __future__ import annotations

from pathlib import Path

import pytest

from tryon.errors import MissingInputError
from tryon.manifest.raw_files import read_verified, require_files
from tryon.runtime.atomic_files import sha256_bytes
from tryon.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def rows(workspace: Workspace) -> list[dict]:
    rows = []
    for number in range(30):
        path = workspace.raw / f"dresses/images/{number:06d}_0.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * number)
        rows.append(
            {"person": f"dresses/images/{number:06d}_0.jpg", "person_bytes": number, "truth": None, "truth_bytes": None}
        )
    return rows  # fmt: skip


def test_read_verified_rejects_missing_and_changed_files(workspace: Workspace, rows: list[dict]) -> None:
    name = rows[5]["person"]
    assert read_verified(workspace, name, sha256_bytes(b"xxxxx")) == b"xxxxx"
    for damage in (b"xxxxy", b"", b"xxxxxx"):
        (workspace.raw / name).write_bytes(damage)
        with pytest.raises(MissingInputError, match=rf"{name}.*tryon download"):
            read_verified(workspace, name, sha256_bytes(b"xxxxx"))
    (workspace.raw / name).unlink()
    with pytest.raises(MissingInputError, match=rf"{name}.*tryon download"):
        read_verified(workspace, name, sha256_bytes(b"xxxxx"))


def test_require_files_names_up_to_ten_files_at_once(workspace: Workspace, rows: list[dict]) -> None:
    require_files(workspace, rows, ["person", "truth"])
    for row in rows[:12]:
        (workspace.raw / row["person"]).unlink()
    (workspace.raw / rows[20]["person"]).write_bytes(b"longer than before....")
    with pytest.raises(MissingInputError) as caught:
        require_files(workspace, rows, ["person", "truth"])
    message = str(caught.value)
    assert all(part in message for part in ("13 of 30 raw files", "and 3 more", "tryon download"))
    assert all(row["person"] in message for row in rows[:10])
