from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tryon.dresscode.readers import (
    UnreadableError,
    decode_dense_pose,
    decode_keypoints,
    decode_label_map,
    decode_photo,
    image_size,
    resize_labels,
    resize_photo,
)


def smooth(height: int, width: int) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(1).integers(0, 256, (height // 64, width // 64, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def jpeg(photo: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def png(ids: NDArray[np.uint8], palette: bool = False) -> bytes:
    image = Image.fromarray(ids)
    if palette:  # colors chosen so that a reader that gives colors cannot pass
        image.putpalette([value for number in range(256) for value in (255 - number, 7 * number % 256, 128)])
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return 10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9))


PHOTO = smooth(1024, 768)
LABELS = np.random.default_rng(0).integers(0, 18, (1024, 768)).astype(np.uint8)


def test_photos_are_rgb_at_full_size() -> None:
    red = np.zeros((64, 48, 3), np.uint8)
    red[..., 0] = 250
    assert np.abs(decode_photo(jpeg(red)).astype(int) - red).max() < 4
    assert decode_photo(jpeg(PHOTO)).shape == PHOTO.shape
    assert psnr(decode_photo(jpeg(PHOTO)), PHOTO) > 40


@pytest.mark.parametrize("size", [(1024, 768), (512, 384), (256, 192), (128, 96), (64, 48), (600, 450), (1100, 800)])
def test_reduced_decoding_equals_full_decoding_and_resizing(size: tuple[int, int]) -> None:
    data = jpeg(PHOTO)
    reduced, full = decode_photo(data, size), resize_photo(decode_photo(data), size)
    assert reduced.shape == (*size, 3)
    assert reduced.dtype == np.uint8
    assert psnr(reduced, full) > 45


def test_reduced_decoding_does_not_shift_the_image() -> None:
    photo = np.zeros((1024, 768, 3), np.uint8)
    photo[:, 384:] = 255
    columns = decode_photo(jpeg(photo), (128, 96))[..., 0].mean(0)
    assert columns[:47].max() < 10
    assert columns[49:].min() > 245


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0, 1, 10, 200, 0.5, -1, -2])
@pytest.mark.parametrize("size", [None, (128, 96)])
def test_rejects_truncated_photo(cut: float, size: tuple[int, int] | None) -> None:
    for data in (jpeg(PHOTO), png(PHOTO)):
        shorter = data[: int(cut * len(data)) if isinstance(cut, float) else cut]
        with pytest.raises(UnreadableError, match="not a complete JPEG or PNG"):
            decode_photo(shorter, size)


@pytest.mark.parametrize("size", [None, (512, 384), (256, 192), (128, 96)])
def test_exif_orientation_is_ignored(size: tuple[int, int] | None) -> None:
    stream, orientation = io.BytesIO(), Image.Exif()
    orientation[0x0112] = 3
    Image.fromarray(PHOTO).save(stream, "JPEG", quality=95, exif=orientation)
    assert np.array_equal(decode_photo(stream.getvalue(), size), decode_photo(jpeg(PHOTO), size))


def test_rejects_other_data() -> None:
    for data in (b"", b"text", b"\xff\xd8\xff\xd9", b"\xff\xd8" + bytes(500) + b"\xff\xd9"):
        with pytest.raises(UnreadableError):
            decode_photo(data, (16, 12))
        with pytest.raises(UnreadableError):
            image_size(data)
        with pytest.raises(UnreadableError):
            decode_label_map(data)


def test_image_size_is_read_from_the_header() -> None:
    assert image_size(jpeg(PHOTO)) == image_size(png(LABELS, palette=True)) == (1024, 768)


def test_label_maps_are_read_as_palette_indices() -> None:
    assert np.array_equal(decode_label_map(png(LABELS, palette=True)), LABELS)
    assert np.array_equal(decode_label_map(png(LABELS)), LABELS)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_palettes_of_few_bits_are_read(depth: int) -> None:
    ids = LABELS % 2**depth
    image = Image.fromarray(ids)
    image.putpalette([255, 0, 0, 0, 255, 0] + [9] * 42)
    stream = io.BytesIO()
    image.save(stream, "PNG", bits=depth)
    assert np.array_equal(decode_label_map(stream.getvalue()), ids)


@pytest.mark.parametrize("size", [(512, 384), (256, 192), (700, 500)])
def test_labels_are_resized_by_nearest_neighbor(size: tuple[int, int]) -> None:
    blocks = np.kron(np.arange(12, dtype=np.uint8).reshape(4, 3), np.ones((256, 256), np.uint8))
    small = decode_label_map(png(blocks, palette=True), size)
    assert small.shape == size
    rows, columns = (np.arange(side) + 0.5 for side in size)
    rows, columns = (rows * 1024 / size[0]).astype(int), (columns * 768 / size[1]).astype(int)
    assert np.array_equal(small, blocks[np.ix_(rows, columns)])


def test_resized_masks_keep_their_area() -> None:
    mask = np.zeros((1024, 768), np.uint8)
    mask[:, :384] = 1
    assert resize_labels(mask, (128, 96)).mean() == 0.5
    assert resize_labels(mask, None) is mask


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0.5, -1, -4, -12, -30, 40, 8, 0])
def test_rejects_truncated_map(cut: float) -> None:
    for decode, data in ((decode_label_map, png(LABELS, palette=True)), (decode_dense_pose, png(LABELS))):
        shorter = data[: int(cut * len(data)) if isinstance(cut, float) else cut]
        with pytest.raises(UnreadableError, match="not a complete PNG"):
            decode(shorter)


def test_rejects_color_png_and_jpeg_as_map() -> None:
    for data in (png(PHOTO), jpeg(PHOTO)):
        with pytest.raises(UnreadableError, match="palette or gray"):
            decode_label_map(data)


def test_rejects_dense_pose_ids_above_24() -> None:
    ids = np.arange(25, dtype=np.uint8).reshape(5, 5)
    assert np.array_equal(decode_dense_pose(png(ids)), ids)
    with pytest.raises(UnreadableError, match="above 24"):
        decode_dense_pose(png(ids + 1))


def keypoints_json(points: object) -> bytes:
    return json.dumps({"keypoints": points}).encode()


@pytest.mark.parametrize("size", [(512, 384), (1024, 768), (256, 192), (64, 48)])
def test_keypoints_scale_from_their_frame_and_missing_ones_do_not(size: tuple[int, int]) -> None:
    points = [[10.0 * joint, 20.0 * joint, 0.5, joint] for joint in range(17)] + [[-1, -1, 0, -1]]
    result = decode_keypoints(keypoints_json(points), size)
    assert result.shape == (18, 3)
    assert result.dtype == np.float32
    expected = np.array([point[:3] for point in points])
    expected[:17] *= (size[1] / 384, size[0] / 512, 1)
    assert np.allclose(result, expected)
    assert result[17].tolist() == [-1, -1, 0]


def test_joint_at_the_top_edge_is_scaled() -> None:
    points = [[100.0, 0.0, 0.8, 0]] * 18
    assert decode_keypoints(keypoints_json(points), (1024, 768))[0].tolist() == pytest.approx([200, 0, 0.8])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keypoints": 3}',
        b'{"keypoints": [1, 2]}',
        b"\xff\xfe",
        keypoints_json([[1, 2, 1, 0]] * 17),
        keypoints_json([[1, 2]] * 18),
        keypoints_json([["a", 2, 1, 0]] * 18),
        keypoints_json([[1, float("nan"), 1, 0]] * 18),
        keypoints_json([[1, 2, 1, 0]] * 17 + [[1, 2]]),
        keypoints_json([[1, 2, None, 0]] * 18),
        keypoints_json([[1, 2, 1, 0]] * 17 + [[1e12, 2, 1, 0]]),
        keypoints_json([[1, 2, 1, 0]] * 17 + [[1, -1e300, 1, 0]]),
        keypoints_json([[1, 2, 1, 0]] * 17 + [[10**400, 2, 1, 0]]),
        b'{"keypoints": ' + b"[" * 100_000,
    ],
)
def test_rejects_malformed_keypoints(data: bytes) -> None:
    with pytest.raises(UnreadableError, match="keypoints"):
        decode_keypoints(data, (1024, 768))
