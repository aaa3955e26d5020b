"""Fixtures: a small project with raw photos and test rows, result images, and random network weights."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image

from tryon.categories import Category, Split
from tryon.dresscode.labels import Joint
from tryon.dresscode.readers import decode_photo
from tryon.manifest import INDEX, PACKED, table_from_rows, write_table
from tryon.metrics import Metric
from tryon.metrics.inception import FeatureExtractor, _to_tensor, resize_clean
from tryon.pretrained_weights import WEIGHTS
from tryon.runtime.atomic_files import sha256_bytes, write_bytes
from tryon.sample.packing import PNG, encode_image, pack_mask
from tryon.scoring.protocols import PROTOCOLS
from tryon.workspace import Workspace

ORIGINAL, PACKED_SIZE = (256, 192), (64, 48)
PER_CATEGORY = 3
PHOTO = "{}/images/{}_0.jpg"
TRUTH = "{}/truth/{}.jpg"


def photo(*seed: int) -> bytes:
    """Return a JPEG with structure at every scale."""
    random = np.random.default_rng(seed)
    rough = torch.from_numpy(random.random((1, 3, 8, 6), np.float32))
    smooth = torch.nn.functional.interpolate(rough, ORIGINAL, mode="bilinear")[0].permute(1, 2, 0).numpy() * 200
    image = (smooth + random.integers(0, 50, (*ORIGINAL, 3))).astype(np.uint8)
    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG", quality=95)
    return data.getvalue()


def garment_of(number: int) -> NDArray[np.bool_]:
    """Return a garment mask that starts below the neck, bool (64, 48); empty for number 2."""
    garment = np.zeros(PACKED_SIZE, np.bool_)
    garment[16 : 30 + 4 * number, 12:36] = number != 2
    return garment


def _keypoints() -> list[float]:
    joints = np.zeros((18, 3), np.float32)
    joints[Joint.RIGHT_SHOULDER], joints[Joint.LEFT_SHOULDER] = (14, 16, 1), (34, 16, 1)
    return joints.ravel().tolist()


KEYPOINTS = _keypoints()


def make_workspace(root: Path) -> Workspace:
    """Create test rows of both settings; of unpaired rows, only dresses have ground truth."""
    workspace = Workspace(root)
    index: dict[Category, list[dict]] = {category: [] for category in Category}
    for setting in (Split.TEST_PAIRED, Split.TEST_UNPAIRED):
        packed = []
        for code, category in enumerate(Category):
            for number in range(PER_CATEGORY):
                person = f"{code}{number:05d}"
                garment = person if setting == Split.TEST_PAIRED else f"{code}{(number + 1) % PER_CATEGORY:05d}"
                names = {"pair_id": f"{person}_{garment}", "category": str(category), "split": str(setting)}
                names |= {"person_id": person, "garment_id": garment}
                files = {"person": (PHOTO.format(category, person), photo(code, number))}
                if setting == Split.TEST_UNPAIRED and category == Category.DRESSES:
                    files["truth"] = TRUTH.format(category, names["pair_id"]), photo(code, number, 1)
                row = dict(names)
                for role, (path, data) in files.items():
                    write_bytes(workspace.raw / path, data)
                    row |= {role: path, f"{role}_sha256": sha256_bytes(data)}
                index[category].append(row | {"status": "ok"})
                images = {role: encode_image(decode_photo(data, PACKED_SIZE), PNG) for role, (_, data) in files.items()}
                masks = {
                    "garment": b"",
                    "mask": b"",
                    "garment_mask": pack_mask(garment_of(number)),
                    "keypoints": KEYPOINTS,
                }
                if "truth" in files:
                    masks["truth_garment_mask"] = pack_mask(garment_of(number + 1))
                packed.append(names | masks | images | {"height": PACKED_SIZE[0], "width": PACKED_SIZE[1]})
        write_table(workspace.subset(setting), table_from_rows(packed, PACKED), PACKED, {"images": "png"})
    for category, rows in index.items():
        write_table(workspace.index(category), table_from_rows(rows, INDEX), INDEX)
    return workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Return a project in which all stages before `evaluate` are finished."""
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    return make_workspace(tmp_path / "project")


def add_noise(image: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Return the image with noise."""
    noise = np.random.default_rng(seed).integers(-12, 12, image.shape)
    return np.clip(image.astype(int) + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def fill(workspace: Workspace, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a folder of results: noisy photos of the persons of a setting."""

    def make(
        name: str = "results",
        setting: str = "paired",
        size: tuple[int, int] = PACKED_SIZE,
        suffix: str = ".png",
        quality: int = 75,
    ) -> Path:
        from tryon.scoring.references import workspace_references

        folder = tmp_path / name
        folder.mkdir()
        references = workspace_references(workspace, setting)
        for number, pair in enumerate(references.pairs):
            image = add_noise(references.packed(pair, "person", size), number)
            Image.fromarray(image).save(folder / f"{pair.pair_id}{suffix}", quality=quality)
        return folder

    return make


class SmallExtractor(torch.nn.Module):
    """Network of six features instead of Inception's 2048."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 6, 5, stride=3)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W), 0 to 255, to (N, 6)."""
        return torch.relu(self.convolution(batch.float() / 255)).mean((2, 3)) * 10


def small_network(path: Path) -> SmallExtractor:
    """Load the network of a weights file."""
    network = SmallExtractor()
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()


@pytest.fixture
def load_small() -> Callable[[Path], torch.nn.Module]:
    """Return the loader of small networks."""
    return small_network


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of random networks under the published names, with small ones for Inception."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(3)
    for name, network in (("alexnet", torchvision.models.alexnet), ("squeezenet", torchvision.models.squeezenet1_1)):
        state = network(weights=None).state_dict()
        features = {key: value for key, value in state.items() if key.startswith("features")}
        torch.save(features, folder / WEIGHTS[name].file)
    for name in ("inception", "inception_clean"):
        torch.save(SmallExtractor().state_dict(), folder / WEIGHTS[name].file)
    return folder


@pytest.fixture
def weights(random_weights: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use random networks instead of the published ones, with the resizers of FID and KID."""
    monkeypatch.setenv("TRYON_WEIGHTS", str(random_weights))
    for name in ("alexnet", "squeezenet", "inception", "inception_clean"):
        monkeypatch.setitem(WEIGHTS, name, replace(WEIGHTS[name], sha256=""))
    for name, protocol in PROTOCOLS.items():
        metrics = tuple(replace(each, metric=with_small_network(each.metric)) for each in protocol.metrics)
        monkeypatch.setitem(PROTOCOLS, name, replace(protocol, metrics=metrics))
    return random_weights


def with_small_network(metric: Metric) -> Metric:
    """Return the metric with a small network."""
    if metric.extract is None:
        return metric
    prepare = {"inception": _to_tensor, "inception_clean": resize_clean}[metric.weights or ""]

    def extract(path: Path | None, device: str) -> FeatureExtractor:
        assert path is not None
        return FeatureExtractor(small_network(path), prepare, device, str(path))

    return replace(metric, extract=extract)
