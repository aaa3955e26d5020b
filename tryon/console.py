"""What a run looks like on a terminal: progress, a summary, one message for what went wrong.

It goes to standard error, so that standard output holds only results: what another program may want to read.
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

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

LINE_INTERVAL = 5.0
"""Seconds between two lines of progress where there is no terminal to draw on."""

MIN_LOGGED_SECONDS = 2.0
"""Seconds from which a finished piece of work leaves a line behind."""


def make_console(results: bool = False) -> Console:
    """The console of people, standard error, or that of results; wide enough for tables where it is a file."""
    from rich.console import Console

    on_terminal = (sys.stdout if results else sys.stderr).isatty()
    width = None if on_terminal or "COLUMNS" in os.environ else 160
    soft = not on_terminal
    return Console(stderr=not results, highlight=False, markup=False, emoji=False, soft_wrap=soft, width=width)


def log_line(line: str) -> None:
    """Tell people something, without what may be a key to something."""
    print(redact_urls(line), file=sys.stderr, flush=True)


def run_cli(work: Callable[[], object]) -> int:
    """Do `work` and return the exit code: 0, 2 after a mistake of the user's or when the disk refuses, which is told in
    one message, or 130."""
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
    """A progress callback, for any thread: it draws bars on a terminal and writes a line now and then elsewhere."""
    if sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _lines()


def print_result(summary: StageResult, seconds: float) -> None:
    """Print what a stage returned, and how long it took."""
    console = make_console()
    console.print(f"{summary.stage}: {summary.summary} ({format_duration(seconds)})")
    print_table(list(summary.table), console)


def print_table(rows: list[dict[str, Cell]], console: Console | None = None) -> None:
    """Print rows of equal keys as a table."""
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
    """A cell as people read it: four significant digits, a dash for what is not known."""
    if cell is None:
        return "–"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def format_duration(seconds: float) -> str:
    """Seconds as people say them: `0.4 s`, `12 s`, `3 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Bars(*columns, console=make_console(), refresh_per_second=5)
    running: dict[str, tuple[object, float]] = {}
    lock = threading.Lock()

    def report(done: int, total: int, what: str) -> None:
        with lock:
            if what not in running:
                running[what] = (bars.add_task(what, total=total), time.monotonic())
            task, since = running[what]
            bars.update(task, completed=done, total=total)  # pyright: ignore[reportArgumentType]
            if done >= total:
                bars.remove_task(task)  # pyright: ignore[reportArgumentType]
                del running[what]
                _log_finished(total, what, time.monotonic() - since, bars.console.print)

    with bars:
        yield report


def _lines() -> Progress:
    started: dict[str, float] = {}
    lock = threading.Lock()
    last = time.monotonic()

    def report(done: int, total: int, what: str) -> None:
        nonlocal last
        with lock:
            now = time.monotonic()
            since = started.setdefault(what, now)
            if done >= total:
                del started[what]
                _log_finished(total, what, now - since, log_line)
            elif done and now - last >= LINE_INTERVAL:
                log_line(f"  {what}: {done} of {total}")
                last = now

    return report


def _log_finished(total: int, what: str, seconds: float, tell: Callable[[str], None]) -> None:
    if seconds >= MIN_LOGGED_SECONDS:
        tell(f"  {what}: {total} in {format_duration(seconds)}")
