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

from tryon.errors import EXIT_CODE, TryOnError, without_secrets
from tryon.runtime.atomic_files import disk_errors_told

if TYPE_CHECKING:
    from rich.console import Console

    from tryon.runtime.progress import Progress
    from tryon.runtime.stage_result import Cell, Summary

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

LINE_EVERY = 5.0
"""Seconds between two lines of progress where there is no terminal to draw on."""

WORTH_A_LINE = 2.0
"""Seconds from which a finished piece of work leaves a line behind."""


def terminal(results: bool = False) -> Console:
    """The console of people, standard error, or that of results; wide enough for tables where it is a file."""
    from rich.console import Console

    on_terminal = (sys.stdout if results else sys.stderr).isatty()
    width = None if on_terminal or "COLUMNS" in os.environ else 160
    soft = not on_terminal
    return Console(stderr=not results, highlight=False, markup=False, emoji=False, soft_wrap=soft, width=width)


def say(line: str) -> None:
    """Tell people something, without what may be a key to something."""
    print(without_secrets(line), file=sys.stderr, flush=True)


def ran_well(work: Callable[[], object]) -> int:
    """Do `work` and return the exit code: 0, 2 after a mistake of the user's or when the disk refuses, which is told in
    one message, or 130."""
    try:
        with disk_errors_told():
            work()
    except TryOnError as error:
        say(f"error: {error}")
        return EXIT_CODE
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    return 0


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A progress callback, for any thread: it draws bars on a terminal and writes a line now and then elsewhere."""
    if sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _lines()


def show_summary(summary: Summary, seconds: float) -> None:
    """Print what a stage returned, and how long it took."""
    console = terminal()
    console.print(f"{summary.stage}: {summary.headline} ({duration(seconds)})")
    show_table(list(summary.table), console)


def show_table(rows: list[dict[str, Cell]], console: Console | None = None) -> None:
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
        table.add_row(*(Text(shown(row.get(name))) for name in rows[0]))
    (console or terminal()).print(table)


def shown(cell: Cell) -> str:
    """A cell as people read it: four significant digits, a dash for what is not known."""
    if cell is None:
        return "–"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def duration(seconds: float) -> str:
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
    bars = Bars(*columns, console=terminal(), refresh_per_second=5)
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
                _tell_finished(total, what, time.monotonic() - since, bars.console.print)

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
                _tell_finished(total, what, now - since, say)
            elif done and now - last >= LINE_EVERY:
                say(f"  {what}: {done} of {total}")
                last = now

    return report


def _tell_finished(total: int, what: str, seconds: float, tell: Callable[[str], None]) -> None:
    if seconds >= WORTH_A_LINE:
        tell(f"  {what}: {total} in {duration(seconds)}")
