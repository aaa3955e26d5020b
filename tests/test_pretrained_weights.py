"""Pretrained weights: downloaded once, verified, atomic, and never downloaded implicitly."""

from __future__ import annotations

import hashlib
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tryon.errors import ParameterError, WeightsError
from tryon.pretrained_weights import WEIGHTS, WeightFile, download_weights, weight_hash, weight_path, weights_status
from tryon.runtime.atomic_files import sha256_file
from tryon.workspace import Workspace

CONTENT = bytes(range(256)) * 9000  # more than two pieces
HASH = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "here")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "net-1.pth").write_bytes(CONTENT)
    return folder


@pytest.fixture
def server(published: Path) -> Iterator[str]:
    class QuietHandler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=published)) as http_server:
        thread = threading.Thread(target=http_server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http_server.server_port}"
        http_server.shutdown()
        thread.join()


def _file(url: str | None, sha256: str = HASH[:8]) -> WeightFile:
    return WeightFile("net", "net-1.pth", needed_for="a test", url=url, sha256=sha256, instruction="Ask the author")


def test_file_is_downloaded_and_verified(workspace: Workspace, published: Path) -> None:
    seen: list[tuple[int, int]] = []
    catalog = [_file((published / "net-1.pth").as_uri())]
    (status,) = download_weights(workspace, ["net"], lambda done, total, label: seen.append((done, total)), catalog)
    assert status.state == "ready"
    assert (workspace.weights / "net-1.pth").read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert len(seen) == 3


def test_file_is_downloaded_over_http_once(workspace: Workspace, published: Path, server: str) -> None:
    catalog = [_file(f"{server}/net-1.pth")]
    download_weights(workspace, ["net"], catalog=catalog)
    (published / "net-1.pth").unlink()
    assert download_weights(workspace, ["net"], catalog=catalog)[0].state == "ready"


def test_wrong_hash_is_rejected_and_leaves_no_file(workspace: Workspace, published: Path) -> None:
    with pytest.raises(WeightsError, match=r"net-1\.pth has the wrong SHA-256"):
        download_weights(workspace, ["net"], catalog=[_file((published / "net-1.pth").as_uri(), sha256="00000000")])
    assert list(workspace.weights.iterdir()) == []


def test_damaged_file_is_replaced(workspace: Workspace, published: Path) -> None:
    workspace.weights.mkdir(parents=True)
    (workspace.weights / "net-1.pth").write_bytes(CONTENT[:-1])
    download_weights(workspace, ["net"], catalog=[_file((published / "net-1.pth").as_uri())])
    assert (workspace.weights / "net-1.pth").read_bytes() == CONTENT


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_failed_download_is_one_message(workspace: Workspace, published: Path, server: str, scheme: str) -> None:
    url = f"{server}/absent.pth" if scheme == "http" else (published / "absent.pth").as_uri()
    with pytest.raises(WeightsError, match=r"absent\.pth could not be downloaded \(\w+: .* `tryon download-weights`"):
        download_weights(workspace, ["net"], catalog=[_file(url)])
    assert list(workspace.weights.iterdir()) == []


def test_file_without_url_is_reported_and_rejected_by_name(workspace: Workspace) -> None:
    catalog = [_file(None)]
    (status,) = download_weights(workspace, catalog=catalog)
    assert (status.state, status.remedy) == ("absent", "Ask the author")
    with pytest.raises(WeightsError, match="Ask the author"):
        download_weights(workspace, ["net"], catalog=catalog)


def test_unknown_names_are_rejected(workspace: Workspace) -> None:
    with pytest.raises(ParameterError, match="alexnet"):
        weights_status(workspace, ["alexnot"])


def test_missing_and_damaged_weights_name_file_and_command(workspace: Workspace) -> None:
    with pytest.raises(WeightsError, match=r"alexnet-owt-7be5be79\.pth not found .*LPIPS.*`tryon download-weights`"):
        weight_path(workspace, "alexnet")
    workspace.weights.mkdir(parents=True)
    (workspace.weights / WEIGHTS["alexnet"].file).write_bytes(b"not these")
    assert weights_status(workspace, ["alexnet"])[0].state == "damaged"
    with pytest.raises(WeightsError, match=r"wrong SHA-256 .*expected 7be5be79"):
        weight_path(workspace, "alexnet")


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files that were hashed."""
    read: list[Path] = []
    monkeypatch.setattr("tryon.pretrained_weights.sha256_file", lambda path: (read.append(path), sha256_file(path))[1])
    return read


def test_file_is_hashed_again_only_when_it_changes(tmp_path: Path, hashed: list[Path]) -> None:
    path = tmp_path / "net-1.pth"
    path.write_bytes(CONTENT)
    assert [weight_hash(path) for _ in range(3)] == [HASH] * 3
    assert hashed == [path]
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(1, 1))  # independent of the resolution of the clock
    assert weight_hash(path) == hashlib.sha256(CONTENT[::-1]).hexdigest()
    assert hashed == [path, path]


def test_status_is_cached(workspace: Workspace, hashed: list[Path]) -> None:
    workspace.weights.mkdir(parents=True)
    (workspace.weights / WEIGHTS["alexnet"].file).write_bytes(b"not these")
    for _ in range(2):
        assert weights_status(workspace, ["alexnet"])[0].state == "damaged"
    assert len(hashed) == 1


def test_weights_folder_can_be_overridden(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRYON_WEIGHTS", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "ckpt_viton.pt").write_bytes(b"anything: no hash is published")
    assert weight_path(workspace, "daflow") == tmp_path / "elsewhere" / "ckpt_viton.pt"


def test_hashes_match_file_names() -> None:
    for weight in WEIGHTS.values():
        assert weight.sha256 in weight.file or len(weight.sha256) == 64
        assert weight.url is None or weight.url.endswith("/" + weight.file)
        assert bool(weight.url) != bool(weight.instruction)


def test_import_does_not_load_torch() -> None:
    code = "import sys, tryon.pretrained_weights; sys.exit('torch' in sys.modules or 'fsspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
