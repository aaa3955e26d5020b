"""The errors that a user can cause, each one a single clear message: what, which rule, which value, what to do."""

from __future__ import annotations

import re

EXIT_CODE = 2
"""Exit code of every command that stops on a `TryOnError`."""


_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)(\S*?)(['\"),;.:\]}>]*)(?=\s|$)")
"""A URL up to the next space in three parts: scheme, all the rest, and the marks of the sentence around it."""


def redact_urls(text: str) -> str:
    """`text` with names, passwords, queries and fragments of all URLs in it replaced by stars.

    They may be keys to something. A password may hold any sign, so whatever stands before an @ is taken for one.
    """
    return _URL.sub(lambda url: f"{url[1]}{_starred(url[2])}{url[3]}", text)


def _starred(rest: str) -> str:
    _, at, place = rest.rpartition("@")
    shown = re.split("[?#]", place, maxsplit=1)
    return f"{'***@' * bool(at)}{shown[0]}{'?***' * (len(shown) > 1)}"


class TryOnError(Exception):
    """An error that the user can fix, reported as one message without a traceback.

    The message reads `<problem>: found <found>, expected <expected>. <hint>`; parts that are not given are omitted.

    Args:
        problem: what happened, naming the file, parameter or option ("data/index/dresses.parquet not found").
        found: the actual value, formatted with `repr`.
        expected: the values that are accepted ("a multiple of 16").
        hint: the command or change that fixes it, as a sentence.
    """

    def __init__(self, problem: str, *, found: object = None, expected: str = "", hint: str = "") -> None:
        self.problem, self.found, self.expected, self.hint = problem, found, expected, hint
        details = [] if found is None else [f"found {found!r}"]
        if expected:
            details.append(f"expected {expected}")
        text = ": ".join([problem, *([", ".join(details)] if details else [])])
        if hint:
            text += f"\n{hint}" if "\n" in text else f". {hint}"
        super().__init__(redact_urls(text))

    def __reduce__(self) -> tuple[object, ...]:
        """Support pickling with keyword arguments, for errors raised in worker processes."""
        return _rebuild, (type(self), self.problem, self.found, self.expected, self.hint)


def _rebuild(kind: type[TryOnError], problem: str, found: object, expected: str, hint: str) -> TryOnError:
    return kind(problem, found=found, expected=expected, hint=hint)


class ParameterError(TryOnError):
    """A key of `params.yaml` (or an option of a command) is unknown, ill-typed or out of range."""


class SourceError(TryOnError):
    """The data source is missing, damaged, unsafe or too often wrong."""


class MissingInputError(TryOnError):
    """Files that a stage reads are absent or differ from what was recorded."""


class DiskError(TryOnError):
    """A disk is full, or a file or folder cannot be read or written as it is: see `tryon.runtime.atomic_files.disk_error`."""


class WeightsError(TryOnError):
    """A checkpoint or a file of pretrained weights is missing, damaged or of another shape."""


def format_list(names: list[str], max_names: int = 10) -> str:
    """Join names for one message, all of them up to `most`, then a count of the rest."""
    shown = ", ".join(names[:max_names])
    return shown if len(names) <= max_names else f"{shown} and {len(names) - max_names} more"
