"""Terminal output: progress, results, tables and error messages.

Everything goes to standard error except results, which other programs may read from standard output.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tryon.errors import EXIT_CODE, TryOnError, redact_urls
from tryon.runtime.atomic_files import translate_os_errors

if TYPE_CHECKING:
    from rich.console import Console

    from tryon.runtime.progress import Progress
    from tryon.runtime.stage_result import Cell, StageResult

INTERRUPTED = 130  # exit code after Ctrl-C, by shell convention
LINE_INTERVAL = 5.0  # seconds between two progress lines where there is no terminal
MIN_LOGGED_SECONDS = 2.0  # duration in seconds from which finished work is logged


def make_console(results: bool = False) -> Console:
    """Return a rich console for standard error, or for standard output if it prints results."""
    from rich.console import Console

    on_terminal = (sys.stdout if results else sys.stderr).isatty()
    width = None if on_terminal or "COLUMNS" in os.environ else 160  # tables in files are not cut at 80 columns
    soft = not on_terminal
    return Console(stderr=not results, highlight=False, markup=False, emoji=False, soft_wrap=soft, width=width)


def log_line(line: str) -> None:
    """Print a line to standard error with credentials in URLs redacted."""
    print(redact_urls(line), file=sys.stderr, flush=True)


def run_cli(work: Callable[[], object]) -> int:
    """Call `work` and return the exit code: 0, 2 after an error that the user can fix, 130 after Ctrl-C."""
    try:
        with translate_os_errors():
            work()
    except TryOnError as error:
        log_line(f"error: {error}")
        return EXIT_CODE
    except KeyboardInterrupt:
        log_line("interrupted")
        return INTERRUPTED
    return 0


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Yield a thread-safe progress callback that draws bars on a terminal and logs lines elsewhere."""
    if sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _lines()


def print_result(result: StageResult, seconds: float) -> None:
    """Print the result of a stage and its duration."""
    console = make_console()
    console.print(f"{result.stage}: {result.summary} ({format_duration(seconds)})")
    print_table(list(result.table), console)


def print_table(rows: list[dict[str, Cell]], console: Console | None = None) -> None:
    """Print rows with equal keys as a table."""
    if not rows:
        return
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    for name in rows[0]:
        number = all(isinstance(row.get(name), int | float | None) for row in rows)
        table.add_column(Text(name), justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(format_cell(row.get(name))) for name in rows[0]))
    (console or make_console()).print(table)


def format_cell(cell: Cell) -> str:
    """Format a cell: four significant digits, a dash for None."""
    if cell is None:
        return "–"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def format_count(count: int, noun: str) -> str:
    """Format a count with its noun: `1 stage`, `2 stages`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def format_duration(seconds: float) -> str:
    """Format a duration: `0.4 s`, `12 s`, `3 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Bars(*columns, console=make_console(), refresh_per_second=5)
    running: dict[str, tuple[TaskID, float]] = {}
    lock = threading.Lock()

    def report(done: int, total: int, label: str) -> None:
        with lock:
            if label not in running:
                running[label] = (bars.add_task(label, total=total), time.monotonic())
            task, start = running[label]
            bars.update(task, completed=done, total=total)
            if done >= total:
                bars.remove_task(task)
                del running[label]
                _log_finished(total, label, time.monotonic() - start, bars.console.print)

    with bars:
        yield report


def _lines() -> Progress:
    running: dict[str, float] = {}
    lock = threading.Lock()
    last = time.monotonic()

    def report(done: int, total: int, label: str) -> None:
        nonlocal last
        with lock:
            now = time.monotonic()
            start = running.setdefault(label, now)
            if done >= total:
                del running[label]
                _log_finished(total, label, now - start, log_line)
            elif done and now - last >= LINE_INTERVAL:
                log_line(f"  {label}: {done} of {total}")
                last = now

    return report


def _log_finished(total: int, label: str, seconds: float, log: Callable[[str], None]) -> None:
    if seconds >= MIN_LOGGED_SECONDS:
        log(f"  {label}: {total} in {format_duration(seconds)}")
