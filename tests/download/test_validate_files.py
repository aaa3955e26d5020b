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


def test_a_whole_uv_map_passes() -> None:
    data = npz(uv=UV)
    assert check_file("uv", data) == FileFacts(len(data), sha256_bytes(data))


@pytest.mark.parametrize(
    "data",
    [b"", b"text", npz(uv=UV)[:-30], npz(uv=UV)[:500], npz(other=UV), npy(UV), npz(uv=np.array([None]))],
    ids=["empty", "text", "cut", "cut short", "other key", "bare array", "pickled"],
)
def test_a_damaged_uv_map_breaks_a_rule(data: bytes) -> None:
    assert check_file("uv", data).problem == "is a whole npz file with the key uv"


def test_a_skeleton_that_is_too_large_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    Image.new("L", (768, 1025)).save(stream, "PNG")
    monkeypatch.setattr("tryon.download.validate_files.decode_photo", lambda data: pytest.fail("decoded"))
    assert check_file("skeleton", stream.getvalue()).problem == "is at most 1024x768"


def flow_file(x: float) -> bytes:
    """A garment of 10 x 10 pixels whose threads lie at `x`, 7 in the garment's image."""
    flow, cover = np.zeros((1024, 768, 2), np.float32), np.zeros((1024, 768), np.uint8)
    flow[:10, :10], cover[:10, :10] = (x, 7), 1
    return encode_flow(flow, cover)


def test_a_whole_flow_passes_and_one_that_leaves_the_garments_image_does_not() -> None:
    assert check_file("flow", flow_file(767.5)).problem is None
    facts = check_file("flow", flow_file(768))
    assert (facts.problem, facts.found) == ("stays in the garment's image", "(768.0, 7.0)")
    eight_bits = io.BytesIO()
    Image.new("RGB", (768, 1024)).save(eight_bits, "PNG")
    assert check_file("flow", eight_bits.getvalue()).problem == "is a PNG of 16 bit and three channels"


@pytest.mark.parametrize("role", [*FILE_ROLES, *OPTIONAL_ROLES])
@pytest.mark.parametrize("data", [b"", b"\0", b"text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"PK\3\4", b"{}"])
def test_nonsense_breaks_a_rule_of_every_role_in_the_same_words_each_time(role: str, data: bytes) -> None:
    facts = check_file(role, data)
    assert facts.problem
    assert facts == check_file(role, bytes(bytearray(data)))
    assert " at 0x" not in (facts.found or "")
