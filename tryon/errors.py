"""The errors that a user can cause, each one a single clear message: what, which rule, which value, what to do."""

from __future__ import annotations

import re

EXIT_CODE = 2
"""Exit code of every command that stops on a `TryOnError`."""


_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)(\S*?)(['\"),;.:\]}>]*)(?=\s|$)")
"""A URL up to the next space in three parts: scheme, all the rest, and the marks of the sentence around it."""


def without_secrets(text: str) -> str:
    """`text` with names, passwords, queries and fragments of all URLs in it replaced by stars.

    They may be keys to something. A password may hold any sign, so whatever stands before an @ is taken for one.
    """
    return _URL.sub(lambda url: f"{url[1]}{_starred(url[2])}{url[3]}", text)


def _starred(rest: str) -> str:
    _, at, place = rest.rpartition("@")
    shown = re.split("[?#]", place, maxsplit=1)
    return f"{'***@' * bool(at)}{shown[0]}{'?***' * (len(shown) > 1)}"


class TryOnError(Exception):
    """Something the user can put right.

    Args:
        what: the thing that is wrong, by name ("image.size in params.yaml").
        rule: the rule it breaks ("both sides are multiples of 16").
        value: the offending value, shown with `repr`; omitted when None.
        remedy: what to do about it.
    """

    def __init__(self, what: str, *, rule: str = "", value: object = None, remedy: str = "") -> None:
        self.what, self.rule, self.value, self.remedy = what, rule, value, remedy
        text = what
        if rule:
            text += f": {rule}"
        if value is not None:
            text += f" (found: {value!r})"
        if remedy:
            text += f"\n{remedy}" if "\n" in text else f". {remedy}"
        super().__init__(without_secrets(text))

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process, keyword arguments included."""
        return _rebuild, (type(self), self.what, self.rule, self.value, self.remedy)


def _rebuild(kind: type[TryOnError], what: str, rule: str, value: object, remedy: str) -> TryOnError:
    return kind(what, rule=rule, value=value, remedy=remedy)


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


def listed(names: list[str], most: int = 10) -> str:
    """Join names for one message, all of them up to `most`, then a count of the rest."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
