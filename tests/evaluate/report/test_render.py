"""Tests of the rendered report: self-contained, complete and free of local paths."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tryon.categories import Category
from tryon.config.evaluate import EvaluateSettings
from tryon.evaluate.report.published import PUBLISHED
from tryon.evaluate.report.render import (
    format_metric,
    format_percent,
    format_ratio,
    ground_truth_sentence,
    published_tables,
)
from tryon.evaluate.stage import evaluate
from tryon.manifest import MANIFEST, read_table, table_from_rows, write_table
from tryon.manifest.schemas import LEAK_THRESHOLD
from tryon.runtime.progress import no_progress
from tryon.scoring.fingerprint import short_fingerprint
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """HTML parser that collects attributes and text, and checks that tags are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def source(evaluated: Workspace) -> str:
    return (evaluated.evaluation / "report.html").read_text()


def test_report_loads_no_external_resource(source: str) -> None:
    page = Page(source)
    resources = [
        (tag, value) for tag, name, value in page.attributes if name in {"src", "href", "srcset", "data", "action"}
    ]
    assert resources
    assert all(value.startswith(("data:", "#")) for _, value in resources)
    without_images = re.sub(r"data:image/webp;base64,[A-Za-z0-9+/=]+", "", source)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script", without_images)
    policy = next(v for tag, n, v in page.attributes if tag == "meta" and n == "content" and "default-src" in v)
    assert "default-src 'none'" in policy


def test_report_contains_no_local_path(source: str, evaluated: Workspace) -> None:
    assert str(evaluated.root) not in source
    assert str(Path.cwd()) not in source


def test_report_contains_every_section_and_fact(source: str, evaluated: Workspace) -> None:
    page = Page(source)
    ids = [value for _, name, value in page.attributes if name == "id"]
    links = [value[1:] for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    assert set(links) <= set(ids)
    content = json.loads((evaluated.evaluation / "metrics.json").read_text())
    for fact in content["protocol"]:
        assert fact["value"] in page.text
    for missing in content["unavailable"]:
        assert missing["reason"] in page.text
    assert "Masked input" in page.text
    assert "synthetic (18 test rows)" in page.text
    assert "paired 9, unpaired 9" in page.text


def test_report_embeds_gallery_and_training_images(source: str) -> None:
    alternatives = [value for tag, name, value in Page(source).attributes if (tag, name) == ("img", "alt")]
    assert sum(value.startswith("result of") for value in alternatives) == 2 * 3 * 2
    for category in ("Upper body", "Lower body", "Dresses"):
        assert f"{category}: epoch 2" in alternatives
    training = source[source.index('<section id="training">') : source.index('<section id="masks">')]
    assert training.count("<svg") == 3  # pretraining has one epoch, too few for a loss curve


def test_summary_matches_metrics(source: str, evaluated: Workspace) -> None:
    content = json.loads((evaluated.evaluation / "metrics.json").read_text())
    for category in (*Category, "all"):
        assert f"{content['metrics']['paired'][category]['model']['l1_garment']:.3f}" in source
        assert f"{content['summary']['unpaired'][category]['ratio_to_masked_input']:.2f}×" in source


def test_states_number_of_rows_with_ground_truth(source: str) -> None:
    assert "Compared with ground truth: 9 of 9 paired rows, 9 of 9 unpaired rows." in " ".join(source.split())
    content = {
        "rows": {"paired": {"dresses": 2, "lower_body": 1}, "unpaired": {"dresses": 4}},
        "ground_truth_rows": {"paired": {"all": {"image": 3}}, "unpaired": {"all": {"image": 0}}},
    }
    assert ground_truth_sentence(content) == "Compared with ground truth: 3 of 3 paired rows, 0 of 4 unpaired rows."


def test_states_leak_threshold(source: str) -> None:
    assert f"a row is leaking above {format_percent(LEAK_THRESHOLD, 0)}" in " ".join(source.split())


def test_compares_quality_of_mask_methods(source: str, evaluated: Workspace) -> None:
    masks = json.loads((evaluated.evaluation / "metrics.json").read_text())["masks"]
    assert list(masks) == list(Category)
    lower = masks["lower_body"]
    assert {name: value for name, value in lower.items() if name != "methods"} == {
        "rows": 4,
        "quarantined": 1,
        "mask_fraction": 0.25,
        "leak_fraction": pytest.approx(0.02),
        "leaking": 0.5,
        "protected_fraction": 0.0,
        "outline_similarity": pytest.approx(0.3),
    }
    assert list(lower["methods"]) == ["fitting-room", "dresscode-official"]
    assert list(lower["methods"]["dresscode-official"]) == ["all", "skirt", "trousers"]
    assert lower["methods"]["dresscode-official"]["skirt"]["leak_fraction"] == 0.8
    text = " ".join(re.sub("<[^>]+>", " ", source).split())
    assert "Lower body fitting-room 100 25.0 % 0.00 % 0.0 % 0.10 % 20 % skirt 100" in text
    assert "dresscode-official 100 25.0 % 40.00 % 40.0 % 0.10 % 70 % skirt 100 25.0 % 80.00 % 80.0 %" in text


def test_shows_worst_and_typical_masks_of_each_category(source: str) -> None:
    page = Page(source)
    alternatives = [
        value for tag, name, value in page.attributes if (tag, name) == ("img", "alt") and "label map" in value
    ]
    assert [text.rpartition(" ")[2] for text in alternatives] == [
        f"person{number}" for number in (0, 1, 2, 3, 6, 7)
    ] * 3
    text = " ".join(page.text.split())
    assert text.index("Dresses, worst person0") < text.index("Dresses, typical person6")
    assert "person0 dress · leak – · protected 0.00 % · masked 25 % · outline 30 %" in text


def test_omits_mask_sections_without_images_or_other_methods(workspace: Workspace) -> None:
    for category in Category:
        workspace.mask_images(category).unlink()
        rows = read_table(workspace.manifest(category), MANIFEST).to_pylist()
        write_table(workspace.manifest(category), table_from_rows(rows, MANIFEST), MANIFEST)
    evaluate(EvaluateSettings(accelerator="cpu", num_gallery_samples=1), 7, workspace, no_progress)
    text = Page((workspace.evaluation / "report.html").read_text()).text
    assert "Mask methods compared" not in text
    assert "Left to right: person" not in text


def test_reports_missing_manifests(workspace: Workspace) -> None:
    for category in Category:
        workspace.manifest(category).unlink()
    evaluate(EvaluateSettings(accelerator="cpu", num_gallery_samples=1), 7, workspace, no_progress)
    assert "No manifests found" in (workspace.evaluation / "report.html").read_text()


def test_formats_numbers() -> None:
    assert [format_metric(0.12345), format_metric(21.456, "psnr"), format_metric(None)] == ["0.1235", "21.46", "–"]
    assert [format_percent(0.0123), format_percent(None), format_ratio(0.254), format_ratio(None)] == [
        "1.2 %",
        "–",
        "0.25×",
        "–",
    ]


def test_charts_contain_every_slice(source: str, evaluated: Workspace) -> None:
    slices = json.loads((evaluated.evaluation / "metrics.json").read_text())["slices"]
    section = source[source.index('<section id="slices">') : source.index('<section id="gallery">')]
    assert section.count("<use ") == sum(
        len(values) for dimensions in slices.values() for values in dimensions.values()
    )
    assert section.index("All slices, unpaired") < section.index("All slices, paired")
    assert "No slice of 10 rows or more is worse" in section


def test_robustness_chart_has_intervals(source: str) -> None:
    section = source[source.index('<section id="robustness">') : source.index('<section id="metrics">')]
    assert section.count("stroke-opacity: 0.55") == 7 + 4  # intervals
    assert "The same 9 unpaired rows" in section


def test_published_scores_name_their_protocols(source: str) -> None:
    section = Page(source[source.index('<section id="published">') : source.index('<section id="data">')]).text
    assert {table.source for table in (row.table for row in PUBLISHED)} == {
        table.source for table, _ in published_tables() if table.source in section
    }
    assert "protocol: catvton; 512x384" in section
    assert "which no published score is" in section  # the rows are synthetic
    assert "0.7656" in section


def test_report_contains_fingerprints_and_data_card(source: str, evaluated: Workspace) -> None:
    content = json.loads((evaluated.evaluation / "metrics.json").read_text())
    for facts in content["fingerprints"].values():
        assert short_fingerprint(facts) in source
    assert "a score here does not predict one on Dress Code" in source
