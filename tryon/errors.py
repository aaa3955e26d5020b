"""Errors that a user can fix, each reported as one message."""

from __future__ import annotations

import re

EXIT_CODE = 2  # exit code of every command that stops on a `TryOnError`
_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)(\S*?)(['\"),;.:\]}>]*)(?=\s|$)")
"""A URL up to the next space in three groups: scheme, rest, and trailing punctuation of the sentence."""


def redact_urls(text: str) -> str:
    """Replace user names, passwords, queries and fragments in all URLs of `text` by stars.

    A password may hold any character, so everything before the last @ is treated as one.
    """

    def redact(url: re.Match[str]) -> str:
        _, at, address = url[2].rpartition("@")
        base, *query = re.split("[?#]", address, maxsplit=1)
        return f"{url[1]}{'***@' * bool(at)}{base}{'?***' * bool(query)}{url[3]}"

    return _URL.sub(redact, text)


class TryOnError(Exception):
    """An error that the user can fix, reported as one message without a traceback.

    The message reads `<problem>: found <found>, expected <expected>. <hint>`; parts that are not given are omitted.

    Args:
        problem: what happened, naming the file, parameter or option ("data/index/dresses.parquet not found").
        found: the actual value, formatted with `repr`.
        expected: the values that are accepted ("a multiple of 16").
        hint: the command or change that fixes it, as a sentence.

    >>> print(TryOnError("seed is out of range", found=-1, expected="0 to 2**32 - 1", hint="Correct params.yaml."))
    seed is out of range: found -1, expected 0 to 2**32 - 1. Correct params.yaml.
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
    """A key of `params.yaml` or an option of a command is unknown, of the wrong type or out of range."""


class SourceError(TryOnError):
    """The data source is missing, damaged or unsafe, or has too many invalid files."""


class MissingInputError(TryOnError):
    """Files that a stage reads are missing or differ from their record."""


class DiskError(TryOnError):
    """A disk is full, or a file or folder cannot be read or written; see `tryon.runtime.atomic_files`."""


class WeightsError(TryOnError):
    """A checkpoint or a file of pretrained weights is missing, damaged or of the wrong shape."""


def format_list(names: list[str], max_names: int = 10) -> str:
    """Join names with commas; after `max_names`, only count the rest."""
    shown = ", ".join(names[:max_names])
    return shown if len(names) <= max_names else f"{shown} and {len(names) - max_names} more"
