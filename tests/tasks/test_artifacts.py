"""Artifacts: keys, tables, image sizes, privacy and progress."""

from __future__ import annotations

import base64
import io
import logging

import numpy as np
import pytest
from PIL import Image
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks import artifacts
from tryon.runtime.stage_result import StageResult

RESULT = StageResult("agnostic@upper_body", "3 masks.", ({"rows": 3, "fraction": 0.123456, "why": None, "a|b": "c|d"},))


def image(side: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


def test_slug_makes_valid_artifact_keys() -> None:
    assert artifacts.slug("agnostic@upper_body") == "agnostic-upper-body"
    assert artifacts.slug("Worst masks (3)!") == "worst-masks-3"


def test_result_is_rendered_as_table() -> None:
    text = artifacts.render_markdown(RESULT)
    assert "3 masks." in text
    assert "| rows | fraction | why | a\\|b |" in text
    assert "| 3 | 0.1235 | – | c\\|d |" in text


def test_small_image_is_unchanged() -> None:
    uri = artifacts.data_uri(image(16))
    assert uri.startswith("data:image/png;base64,")
    assert base64.b64decode(uri.partition(",")[2]) == image(16)


def test_large_image_is_shrunk() -> None:
    uri = artifacts.data_uri(image(700))
    assert len(uri) <= artifacts.MAX_BYTES
    assert Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).width > 100


def test_nothing_is_published_outside_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise AssertionError("published")

    monkeypatch.setattr(artifacts, "create_markdown_artifact", fails)
    monkeypatch.setattr(artifacts, "create_progress_artifact", fails)
    artifacts.publish(RESULT, "synthetic")
    with artifacts.progress_artifact("sample") as progress:
        progress(1, 2, "items")


@pytest.mark.parametrize(
    ("source", "url", "shown"),
    [
        ("synthetic", "https://api.prefect.cloud/api", True),
        ("/data/DressCode.zip", "http://127.0.0.1:4200/api", True),
        ("/data/DressCode.zip", None, True),
        ("/data/DressCode.zip", "https://api.prefect.cloud/api", False),
        ("/data/DressCode.zip", "http://10.0.0.5:4200/api", False),
    ],
)
def test_images_of_licensed_data_are_not_sent_to_other_machines(
    monkeypatch: pytest.MonkeyPatch, source: str, url: str | None, shown: bool
) -> None:
    pages: list[str] = []
    images: list[str] = []
    monkeypatch.setattr(artifacts, "_in_run", lambda: True)
    monkeypatch.setattr(artifacts, "get_run_logger", lambda: logging.getLogger("test"))
    monkeypatch.setattr(artifacts, "create_markdown_artifact", lambda text, **_: pages.append(text))
    monkeypatch.setattr(artifacts, "create_image_artifact", lambda **kwargs: images.append(kwargs["key"]))
    with temporary_settings(updates={PREFECT_API_URL: url}):
        artifacts.publish(StageResult("sample", "3 pairs.", images={"Masks": image(8)}), source)
    assert images == (["sample-masks"] if shown else [])
    assert ("another machine" in pages[0]) is not shown


def test_progress_artifact_updates_are_rate_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    created: list[str] = []
    updated: list[str] = []
    now = [100.0]
    monkeypatch.setattr(artifacts.time, "monotonic", lambda: now[0])

    def create(percent: float, key: str, description: str) -> str:
        created.append(description)
        return "id"

    def update(artifact: str, percent: float, description: str) -> None:
        assert artifact == "id"
        updated.append(description)

    monkeypatch.setattr(artifacts, "create_progress_artifact", create)
    monkeypatch.setattr(artifacts, "update_progress_artifact", update)
    report = artifacts._ProgressArtifact("sample-progress")
    for done in range(1, 101):
        now[0] += 0.5
        report(done, 100, "items")
    assert created == ["items: 4 of 100"]
    assert updated == [f"items: {done} of 100" for done in range(8, 101, 4)]
