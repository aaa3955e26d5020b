"""Deployments, the run form and the page of a run in a real browser, on a small synthetic data set.

With TRYON_SCREENSHOTS=1 the screenshots in docs/images/operations are updated.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from ruamel.yaml import YAML

from flows.deployments import DEPLOYMENTS
from tests.flows.served_project import ServedProject, stop

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "docs" / "images" / "operations"
DOCUMENTATION = ROOT / "docs" / "operations.md"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
WINDOW_SIZES = {"wide": (1440, 900), "narrow": (390, 844)}

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium or chrome on PATH"),
]

SETTINGS = {
    "download.synthetic.train_pairs": 12,
    "download.synthetic.test_pairs": 3,
    "pretrain.epochs": 1,
    "finetune.epochs": 2,
    "pretrain.network.encoder_channels": [8, 16, 16],
    "evaluate.num_gallery_samples": 3,
}


@pytest.fixture(scope="module")
def served(new_project, tmp_path_factory) -> Iterator[ServedProject]:
    """A served project with the real stages and a few pairs."""
    project = new_project(tmp_path_factory.mktemp("browser") / "project")
    shutil.copy(ROOT / "dvc.yaml", project.root)
    shutil.copytree(ROOT / "tryon", project.root / "tryon", ignore=shutil.ignore_patterns("__pycache__"))
    for key, value in SETTINGS.items():
        project.set(key, value)
    running = ServedProject(project, "--watch-cron", "0 3 * * *")
    yield running
    stop(running, signal.SIGTERM)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless browser."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield running
        running.close()


@pytest.fixture(params=WINDOW_SIZES)
def window(request: pytest.FixtureRequest) -> str:
    """Name of a window size."""
    return request.param


@pytest.fixture
def page(browser, window) -> Iterator[Any]:
    """An empty page of the window's size."""
    width, height = WINDOW_SIZES[window]
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(60_000)
    yield page
    page.close()


def take_screenshot(page: Any, name: str) -> None:
    """Render the page; with TRYON_SCREENSHOTS=1, update its image if the documentation shows it."""
    page.wait_for_timeout(1500)
    screenshot = page.screenshot()
    if os.environ.get("TRYON_SCREENSHOTS") and f"operations/{name}.png" in DOCUMENTATION.read_text():
        image = Image.open(io.BytesIO(screenshot)).convert("RGB").quantize(96, dither=Image.Dither.NONE)
        image.save(SCREENSHOTS / f"{name}.png", optimize=True)
        assert (SCREENSHOTS / f"{name}.png").stat().st_size < 150_000


def wait_for_text(page: Any, *texts: str) -> None:
    """Wait until each text is visible."""
    for text in texts:
        page.get_by_text(text).locator("visible=true").first.wait_for()


def choose_tab(page: Any, name: str) -> None:
    """Open a tab of a run's page; narrow pages have a drop-down."""
    drop_down = page.locator("button[name=tabs]")
    if drop_down.is_visible():
        drop_down.press("Space")
    page.get_by_text(name, exact=True).locator("visible=true").first.click()


def form_field(page: Any, *path: str) -> Any:
    """Return a field of the run form by its sections and key."""
    field = page
    for name in path:
        label = page.get_by_text(f"{name} (Optional)", exact=True)
        field = field.locator(".schema-form-property").filter(has=label).last
    return field


def test_deployments_are_listed(served: ServedProject, page: Any, window: str) -> None:
    page.goto(f"{served.page}/deployments")
    wait_for_text(page, f"{len(DEPLOYMENTS)} Deployments", *(deployment.name for deployment in DEPLOYMENTS))
    assert not page.get_by_text("Not Ready").count()
    take_screenshot(page, f"deployments-{window}")


def test_form_offers_all_settings_and_submits_changed_ones(served: ServedProject, page: Any, window: str) -> None:
    params = served.project.root / "params.yaml"
    before = params.read_text()
    page.goto(f"{served.page}/deployments/deployment/{served.deployment('pipeline')}/run")
    wait_for_text(page, "dry_run (Optional)", "force (Optional)", "preset (Optional)", "settings (Optional)")
    take_screenshot(page, f"form-top-{window}")
    form_field(page, "dry_run").get_by_role("switch").click()
    epochs = form_field(page, "settings", "finetune", "epochs")
    assert "Passes over the training rows. (Integer, at least 0. Value at server start: 2.)" in epochs.inner_text()
    epochs.locator("input").fill("3")
    precision = form_field(page, "settings", "finetune", "precision")
    precision.locator("button.p-select-button__control").press("ArrowDown")
    page.get_by_text("bf16-mixed", exact=True).locator("visible=true").click()
    epochs.scroll_into_view_if_needed()
    take_screenshot(page, f"form-settings-{window}")
    page.get_by_role("button", name="Submit").click()
    wait_for_text(page, "scheduled to start now")
    pipelines = {"name": {"any_": ["pipeline"]}}
    (run,) = served.query("flow_runs", sort="EXPECTED_START_TIME_DESC", limit=1, deployments=pipelines)
    assert run["parameters"]["settings"] == {"finetune": {"epochs": 3, "precision": "bf16-mixed"}}
    assert run["parameters"]["dry_run"] is True
    assert served.wait_for_end(run["id"])["state_name"] == "Completed"
    assert params.read_text() == before
    assert "| `finetune.epochs` | 2 | 3 |" in served.artifacts()["settings"]


def test_value_out_of_range_is_rejected(served: ServedProject, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{served.page}/deployments/deployment/{served.deployment('pipeline')}/run")
    form_field(page, "settings", "finetune", "lr").locator("input").fill("5")
    before = len(served.query("flow_runs"))
    page.get_by_role("button", name="Submit").click()
    wait_for_text(page, "5 is greater than the maximum of 1")
    assert len(served.query("flow_runs")) == before
    page.close()


@pytest.fixture(scope="module")
def finished(served: ServedProject) -> str:
    """Id of a complete run of the pipeline."""
    run = served.start_run("pipeline")
    assert served.wait_for_end(run, 900)["state_name"] == "Completed"
    return run


def test_run_page_shows_logs_and_subflows(served: ServedProject, finished: str, page: Any, window: str) -> None:
    page.goto(f"{served.page}/runs/flow-run/{finished}")
    wait_for_text(page, "Completed")
    take_screenshot(page, f"run-{window}")
    page.locator("pre.logs").scroll_into_view_if_needed()  # lines are rendered when they come into view
    wait_for_text(page, "download: done in")
    choose_tab(page, "Subflow Runs")
    wait_for_text(page, "8 Flow runs")
    for stage in ("evaluate", "agnostic@dresses"):
        page.get_by_role("link", name=stage, exact=True).locator("visible=true").first.scroll_into_view_if_needed()


def test_masks_grids_and_summary_are_shown(served: ServedProject, finished: str, page: Any, window: str) -> None:
    del finished
    artifacts = {item["key"]: item for item in served.query("artifacts/latest")}
    images = {key for key, item in artifacts.items() if item["type"] == "image"}
    displayed = ["agnostic-dresses-worst", "finetune-samples", "evaluate-paired-dresses"]
    others = {f"agnostic-{name}-body-worst" for name in ("upper", "lower")}
    assert {*displayed, *others, "pretrain-samples", "evaluate-unpaired-upper-body"} <= images
    assert all(len(artifacts[key]["data"]) <= 300_000 for key in images)
    assert {"download-progress", "finetune-progress"} <= {*artifacts}
    for key, text in (("agnostic-dresses", "protected"), ("evaluate", "ratio_to_masked_input")):
        page.goto(f"{served.page}/artifacts/artifact/{artifacts[key]['latest_id']}")
        wait_for_text(page, text)
        take_screenshot(page, f"{key}-{window}")
    for key in displayed:
        page.goto(f"{served.page}/artifacts/artifact/{artifacts[key]['latest_id']}")
        image = page.locator("img").first
        image.wait_for()
        page.wait_for_function("() => document.querySelector('img').naturalWidth > 50")
        take_screenshot(page, f"{key}-{window}")


def test_scoring_a_checkpoint_changes_no_dvc_output(served: ServedProject, finished: str) -> None:
    del finished
    root = served.project.root
    lock = (root / "dvc.lock").read_bytes()
    before = {path: path.stat().st_mtime_ns for path in (root / "data/evaluation").rglob("*")}
    run = served.start_run("score-checkpoint", checkpoint="data/checkpoints/last.ckpt", name="last")
    assert served.wait_for_end(run, 300)["state_name"] == "Completed"
    assert (root / "data/scores/last/metrics.json").is_file()
    assert "ratio_to_masked_input" in served.artifacts()["score-checkpoint"]
    assert (root / "dvc.lock").read_bytes() == lock
    assert {path: path.stat().st_mtime_ns for path in (root / "data/evaluation").rglob("*")} == before
    assert YAML(typ="safe").load(lock)["stages"]["evaluate"]
