from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tryon.download.validate_files import FileFacts, check_file
from tryon.manifest.schemas import FILE_ROLES, OPTIONAL_ROLES
from tryon.runtime.atomic_files import sha256_bytes
from tryon.synthetic.ground_truth_io import encode_flow


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


UV = np.zeros((2, 1024, 768), np.float32)


def test_accepts_uv_map() -> None:
    data = npz(uv=UV)
    assert check_file("uv", data) == FileFacts(len(data), sha256_bytes(data))


@pytest.mark.parametrize(
    "data",
    [b"", b"text", npz(uv=UV)[:-30], npz(uv=UV)[:500], npz(other=UV), npy(UV), npz(uv=np.array([None]))],
    ids=["empty", "text", "cut", "cut short", "other key", "bare array", "pickled"],
)
def test_rejects_damaged_uv_map(data: bytes) -> None:
    assert check_file("uv", data).problem == "uv is not a complete npz file with the key uv"


def test_too_large_skeleton_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    Image.new("L", (768, 1025)).save(stream, "PNG")
    monkeypatch.setattr("tryon.download.validate_files.decode_photo", lambda data: pytest.fail("decoded"))
    assert check_file("skeleton", stream.getvalue()).problem == "image is larger than 1024x768"


def flow_file(x: float) -> bytes:
    """Flow of 10 x 10 garment pixels to (`x`, 7) in the garment image."""
    flow, cover = np.zeros((1024, 768, 2), np.float32), np.zeros((1024, 768), np.uint8)
    flow[:10, :10], cover[:10, :10] = (x, 7), 1
    return encode_flow(flow, cover)


def test_rejects_flow_outside_the_garment_image() -> None:
    assert check_file("flow", flow_file(767.5)).problem is None
    facts = check_file("flow", flow_file(768))
    assert (facts.problem, facts.found) == ("flow points outside the garment image", "(768.0, 7.0)")
    eight_bits = io.BytesIO()
    Image.new("RGB", (768, 1024)).save(eight_bits, "PNG")
    assert check_file("flow", eight_bits.getvalue()).problem == "flow is not a 16-bit PNG of three channels"


@pytest.mark.parametrize("role", [*FILE_ROLES, *OPTIONAL_ROLES])
@pytest.mark.parametrize("data", [b"", b"\0", b"text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"PK\3\4", b"{}"])
def test_other_data_gives_the_same_problem_each_time(role: str, data: bytes) -> None:
    facts = check_file(role, data)
    assert facts.problem
    assert facts == check_file(role, bytes(bytearray(data)))
    assert " at 0x" not in (facts.found or "")
