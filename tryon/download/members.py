"""Which files of a source are taken up: those of Dress Code's layout, under safe names, within limits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tryon.categories import Category, Split
from tryon.dresscode.layout import (
    ATTRIBUTES_FILE,
    PEOPLE_FILE,
    SYNTHETIC_MARKER,
    TRUTH_MARKER,
    pair_list_name,
    relative_path,
)
from tryon.errors import SourceError, format_list
from tryon.manifest.schemas import FILE_ROLES, OPTIONAL_ROLES

MAX_MEMBERS = 2_000_000
MAX_MEMBER_BYTES = 64 * 2**20
"""Limits far above what the data set has (376,544 files, the largest 6.3 MB), far below what fills a disk."""

_ITEM = r"[A-Za-z0-9_-]+"
_DRIVE = re.compile(r"[A-Za-z]:")


class Member(NamedTuple):
    """One file of a source.

    Args:
        name: its name in the source.
        target: its place under the data set's root, with slashes.
        size: bytes.
        mtime_ns: time of its last change in nanoseconds, 0 where that says nothing.
    """

    name: str
    target: str
    size: int
    mtime_ns: int = 0


def select_members(files: Iterable[Member], source: str) -> list[Member]:
    """Check names and limits, find the data set's root among the names, and keep what belongs to the layout.

    Args:
        files: all files of the source; their `target` is not used.
        source: the source's name, for messages.

    Returns:
        The members with their targets, sorted by target.

    Raises:
        SourceError: a name is unsafe, a limit is passed, or there is not exactly one root.
    """
    files = list(files)
    _check_limits(files, source)
    root = _find_root([file.name for file in files], source)
    found = {}
    for file in files:
        target = file.name.removeprefix(root)
        if file.name.startswith(root) and _LAYOUT.fullmatch(target):
            if target in found:
                raise SourceError(source, expected="holds every file once", found=file.name)
            found[target] = Member(file.name, target, file.size, file.mtime_ns)
    return [found[target] for target in sorted(found)]


def is_safe(name: str) -> bool:
    """Whether a member's name stays below the folder that it is unpacked into."""
    return not (
        name.startswith(("/", "\\")) or "\0" in name or _DRIVE.match(name) or ".." in name.replace("\\", "/").split("/")
    )


def _check_limits(files: list[Member], source: str) -> None:
    unsafe = [file.name for file in files if not is_safe(file.name)]
    if unsafe:
        remedy = "Do not use this archive: it would write outside its folder."
        raise SourceError(source, expected="holds relative names without `..`", found=format_list(unsafe), hint=remedy)
    if len(files) > MAX_MEMBERS:
        raise SourceError(source, expected=f"holds at most {MAX_MEMBERS} files", found=len(files))
    large = [file.name for file in files if file.size > MAX_MEMBER_BYTES and _IN_CATEGORY.search(file.name)]
    if large:
        raise SourceError(source, expected=f"has no file above {MAX_MEMBER_BYTES} bytes", found=format_list(large))


def _find_root(names: list[str], source: str) -> str:
    """The prefix ("" or "DressCode/") under which the category folders lie."""
    roots = sorted({match[1] for match in map(_IN_CATEGORY.fullmatch, names) if match})
    if len(roots) != 1:
        rule = f"holds the folders {', '.join(Category)} of one data set, with files named as Dress Code names them"
        raise SourceError(source, expected=rule, found=format_list(roots) if roots else "none")
    return roots[0]


def _layout_pattern() -> str:
    """Pattern of all files below a category's folder."""
    examples = (relative_path(role, Category.DRESSES, "@") for role in (*FILE_ROLES, *OPTIONAL_ROLES))
    inner = [re.escape("/".join(example.parts[1:])).replace("@", _ITEM) for example in examples]
    inner += [re.escape(pair_list_name(split)) for split in Split]
    return f"(?:{'|'.join(Category)})/(?:{'|'.join(inner)})"


_IN_CATEGORY = re.compile(rf"((?:.*/)?){_layout_pattern()}")
_SIDE_FILES = (ATTRIBUTES_FILE, PEOPLE_FILE, SYNTHETIC_MARKER, TRUTH_MARKER)
_IN_ROOT = (*(pair_list_name(split) for split in Split), *_SIDE_FILES)
_LAYOUT = re.compile("|".join([_layout_pattern(), *map(re.escape, _IN_ROOT)]))
