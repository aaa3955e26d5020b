"""The HTML template of DVC plots draws them without external resources."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tryon.runtime.code_version import ROOT

TEMPLATE = ROOT / ".dvc" / "plots" / "page.html"
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


def render(*specifications: dict) -> str:
    from dvc_render.html import HTML

    page = HTML(TEMPLATE.read_text()).with_scripts('<script src="https://cdn.example/vega.js"></script>')
    for number, specification in enumerate(specifications):
        script = f"var spec = {json.dumps(specification)}; vegaEmbed('#plot{number}', spec);"
        page.with_element(f'<div id="plot{number}"><script>{script}</script></div>')
    return page.embed()


def test_template_has_no_external_resources() -> None:
    text = render()
    assert "src=" not in text
    assert "cdn" not in text
    assert text.count("http") == 1  # the SVG namespace


def test_dvc_uses_this_template() -> None:
    assert "html_template = plots/page.html" in (ROOT / ".dvc" / "config").read_text()


@pytest.mark.long
@pytest.mark.skipif(BROWSER is None, reason="needs a browser")
def test_browser_draws_plots_without_requests(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    (tmp_path / "index.html").write_text(render(SPECIFICATION, SPECIFICATION | {"data": {"values": []}}))
    requests: list[str] = []
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.goto((tmp_path / "index.html").as_uri())
        assert page.locator("polyline").count() == 2
        assert page.locator("circle").count() == 5
        assert "L1 inside the garment" in page.inner_text("#plot0")
        assert "No numbers to draw" in page.inner_text("#plot1")
        browser.close()
    assert requests == [(tmp_path / "index.html").as_uri()]
