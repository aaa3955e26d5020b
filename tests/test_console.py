"""What people see of a run: exit codes, messages, progress that does not flood a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tryon import console
from tryon.errors import SourceError
from tryon.runtime.atomic_files import write_text
from tryon.runtime.stage_result import StageResult

Captured = pytest.CaptureFixture[str]


def test_a_mistake_is_one_message_and_exit_code_2(capsys: Captured) -> None:
    def work() -> None:
        raise SourceError("a.zip", expected="exists", hint="Put it there.")

    assert console.run_cli(work) == 2
    assert capsys.readouterr().err == "error: a.zip: exists. Put it there.\n"


def test_ctrl_c_is_130_and_a_bug_stays_a_bug() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    def broken() -> None:
        raise RuntimeError("a bug")

    assert console.run_cli(interrupted) == 130
    assert console.run_cli(lambda: None) == 0
    with pytest.raises(RuntimeError):
        console.run_cli(broken)


def test_what_the_disk_refuses_is_one_message_in_every_command(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "data").write_text("a file in the way")
    assert console.run_cli(lambda: write_text(tmp_path / "data" / "index" / "x.json", "")) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        f"error: {tmp_path}/data/index: every folder of its path is a folder (found: 'Not a directory'"
    )
    assert said.endswith("run the same command again: what was finished before is still there.\n")
    assert "Traceback" not in said


def test_lines_of_progress_are_few(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    with console.progress_bars() as progress:
        for done in range(1, 41):
            now[0] += 0.5
            progress(done, 40, "things")
        progress(3, 3, "quick ones")
        now[0] += 60
        progress(0, 40, "those to come")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "  things: 10 of 40",
        "  things: 20 of 40",
        "  things: 30 of 40",
        "  things: 40 in 20 s",
    ]


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(console.sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with console.progress_bars() as progress:
        progress(1, 2, "things")
        progress(0, 0, "nothing at all")
        progress(2, 2, "things")
    assert "things" in capsys.readouterr().err


def test_a_summary_shows_sentence_and_table(capsys: Captured) -> None:
    console.print_result(
        StageResult("sample", "All [well].", ({"part": "train", "share": 0.123456, "none": None},)), 83.2
    )
    said = capsys.readouterr()
    assert said.out == ""
    assert "sample: All [well]. (1 min 23 s)" in said.err
    assert [word for word in said.err.split() if word in ("train", "0.1235", "–")] == ["train", "0.1235", "–"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.44, "0.4 s"), (12.4, "12 s"), (59.7, "1 min 00 s"), (185, "3 min 05 s")]
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert console.format_duration(seconds) == said


def test_results_go_where_another_program_reads_them(capsys: Captured) -> None:
    console.print_table([{"category": "dresses", "model": 0.25}], console.make_console(results=True))
    said = capsys.readouterr()
    assert "dresses" in said.out
    assert said.err == ""
