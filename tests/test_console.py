"""Terminal output: exit codes, messages, progress and tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tryon import console
from tryon.errors import SourceError
from tryon.runtime.atomic_files import write_text
from tryon.runtime.stage_result import StageResult

Captured = pytest.CaptureFixture[str]


def test_user_error_is_one_message_and_exit_code_2(capsys: Captured) -> None:
    def work() -> None:
        raise SourceError("a.zip not found", hint="Put it there.")

    assert console.run_cli(work) == 2
    assert capsys.readouterr().err == "error: a.zip not found. Put it there.\n"


def test_ctrl_c_returns_130_and_bugs_propagate() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    def broken() -> None:
        raise RuntimeError("a bug")

    assert console.run_cli(interrupted) == 130
    assert console.run_cli(lambda: None) == 0
    with pytest.raises(RuntimeError):
        console.run_cli(broken)


def test_os_error_is_one_message(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "data").write_text("a file in the way")
    assert console.run_cli(lambda: write_text(tmp_path / "data" / "index" / "x.json", "")) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"error: cannot read or write {tmp_path}/data/index: Not a directory")
    assert message.endswith("run the same command again; finished work is reused.\n")
    assert "Traceback" not in message


def test_progress_lines_are_rate_limited(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    with console.progress_bars() as progress:
        for done in range(1, 41):
            now[0] += 0.5
            progress(done, 40, "items")
        progress(3, 3, "quick items")
        now[0] += 60
        progress(0, 40, "later items")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "  items: 10 of 40",
        "  items: 20 of 40",
        "  items: 30 of 40",
        "  items: 40 in 20 s",
    ]


def test_terminal_shows_bars(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(console.sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with console.progress_bars() as progress:
        progress(1, 2, "items")
        progress(0, 0, "no items")
        progress(2, 2, "items")
    assert "items" in capsys.readouterr().err


def test_result_shows_summary_and_table(capsys: Captured) -> None:
    console.print_result(
        StageResult("sample", "All [well].", ({"part": "train", "fraction": 0.123456, "none": None},)), 83.2
    )
    output = capsys.readouterr()
    assert output.out == ""
    assert "sample: All [well]. (1 min 23 s)" in output.err
    assert [word for word in output.err.split() if word in ("train", "0.1235", "–")] == ["train", "0.1235", "–"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (12.4, "12 s"), (59.7, "1 min 00 s"), (185, "3 min 05 s")]
)
def test_format_duration(seconds: float, text: str) -> None:
    assert console.format_duration(seconds) == text


def test_results_go_to_standard_output(capsys: Captured) -> None:
    console.print_table([{"category": "dresses", "model": 0.25}], console.make_console(results=True))
    output = capsys.readouterr()
    assert "dresses" in output.out
    assert output.err == ""


def test_format_count_has_singular_and_plural() -> None:
    assert [console.format_count(count, "stage") for count in (0, 1, 2)] == ["0 stages", "1 stage", "2 stages"]
