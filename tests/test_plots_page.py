"""The page that DVC fills with plots draws them itself: in a browser it asks for nothing but itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tryon.runtime.code_version import ROOT

PAGE = ROOT / ".dvc" / "plots" / "page.html"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

SPECIFICATION = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "data": {
        "values": [
            {"epoch": epoch, "val_l1": value, "rev": revision}
            for revision, values in {"slow": (0.3, 0.2, 0.15), "fast": (0.3, 0.16, "")}.items()
            for epoch, value in enumerate(values)
        ]
    },
    "title": {"text": "L1 inside the garment"},
    "encoding": {"x": {"field": "epoch"}},
    "layer": [{"encoding": {"y": {"field": "val_l1"}}}],
}


def filled(*specifications: dict) -> str:
    from dvc_render.html import HTML

    page = HTML(PAGE.read_text()).with_scripts('<script src="https://cdn.example/vega.js"></script>')
    for number, specification in enumerate(specifications):
        script = f"var spec = {json.dumps(specification)}; vegaEmbed('#plot{number}', spec);"
        page.with_element(f'<div id="plot{number}"><script>{script}</script></div>')
    return page.embed()


def test_nothing_is_loaded_from_elsewhere() -> None:
    text = filled()
    assert "src=" not in text
    assert "cdn" not in text
    assert text.count("http") == 1  # the name of SVG


def test_dvc_takes_this_page() -> None:
    assert "html_template = plots/page.html" in (ROOT / ".dvc" / "config").read_text()


@pytest.mark.long
@pytest.mark.skipif(BROWSER is None, reason="needs a browser")
def test_a_browser_draws_it_and_asks_for_nothing(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    (tmp_path / "index.html").write_text(filled(SPECIFICATION, SPECIFICATION | {"data": {"values": []}}))
    asked: list[str] = []
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.goto((tmp_path / "index.html").as_uri())
        assert page.locator("polyline").count() == 2
        assert page.locator("circle").count() == 5
        assert "L1 inside the garment" in page.inner_text("#plot0")
        assert "No numbers to draw" in page.inner_text("#plot1")
        browser.close()
    assert asked == [(tmp_path / "index.html").as_uri()]
