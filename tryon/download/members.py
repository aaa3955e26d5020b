"""Select the files of a source that belong to Dress Code's layout, with safe names and bounded sizes."""

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
"""Limits far above the data set (376,544 files, the largest 6.3 MB) and far below what fills a disk."""

_ITEM = r"[A-Za-z0-9_-]+"
_DRIVE = re.compile(r"[A-Za-z]:")


class Member(NamedTuple):
    """One file of a source.

    Args:
        name: in the source.
        target: path below the data set's root, with slashes.
        size: bytes.
        mtime_ns: modification time in nanoseconds; 0 in an archive.
    """

    name: str
    target: str
    size: int
    mtime_ns: int = 0


def select_members(files: Iterable[Member], source: str) -> list[Member]:
    """Check names and limits, detect the data set's root, and select the files of the layout.

    The `target` of `files` is ignored; the result has targets and is sorted by them.

    Raises:
        SourceError: a name is unsafe, a limit is exceeded, or there is not exactly one root.
    """
    files = list(files)
    _check_limits(files, source)
    root = _find_root([file.name for file in files], source)
    members: dict[str, Member] = {}
    for file in files:
        target = file.name.removeprefix(root)
        if file.name.startswith(root) and _LAYOUT.fullmatch(target):
            if target in members:
                raise SourceError(f"{source} contains {file.name} twice")
            members[target] = Member(file.name, target, file.size, file.mtime_ns)
    return [members[target] for target in sorted(members)]


def is_safe(name: str) -> bool:
    """Return whether a member's name stays below the folder that it is unpacked into."""
    return not (
        name.startswith(("/", "\\")) or "\0" in name or _DRIVE.match(name) or ".." in name.replace("\\", "/").split("/")
    )


def _check_limits(files: list[Member], source: str) -> None:
    unsafe = [file.name for file in files if not is_safe(file.name)]
    if unsafe:
        raise SourceError(
            f"{source} contains unsafe names",
            found=format_list(unsafe),
            expected="relative names without `..`",
            hint="Do not use this archive: it would write outside its folder.",
        )
    if len(files) > MAX_MEMBERS:
        raise SourceError(f"{source} contains too many files", found=len(files), expected=f"at most {MAX_MEMBERS}")
    large = [file.name for file in files if file.size > MAX_MEMBER_BYTES and _IN_CATEGORY.search(file.name)]
    if large:
        raise SourceError(
            f"{source} contains too large files",
            found=format_list(large),
            expected=f"at most {MAX_MEMBER_BYTES} bytes each",
        )


def _find_root(names: list[str], source: str) -> str:
    """Return the prefix ("" or "DressCode/") of the category folders."""
    roots = sorted({match[1] for match in map(_IN_CATEGORY.fullmatch, names) if match})
    if len(roots) != 1:
        raise SourceError(
            f"{source} does not contain exactly one Dress Code data set",
            found=format_list(roots) if roots else "none",
            expected=f"folders {', '.join(Category)} with files named as in Dress Code",
        )
    return roots[0]


def _layout_pattern() -> str:
    """Build the pattern of all files below a category's folder."""
    examples = (relative_path(role, Category.DRESSES, "@") for role in (*FILE_ROLES, *OPTIONAL_ROLES))
    inner = [re.escape("/".join(example.parts[1:])).replace("@", _ITEM) for example in examples]
    inner += [re.escape(pair_list_name(split)) for split in Split]
    return f"(?:{'|'.join(Category)})/(?:{'|'.join(inner)})"


_IN_CATEGORY = re.compile(rf"((?:.*/)?){_layout_pattern()}")
_SIDE_FILES = (ATTRIBUTES_FILE, PEOPLE_FILE, SYNTHETIC_MARKER, TRUTH_MARKER)
_IN_ROOT = (*(pair_list_name(split) for split in Split), *_SIDE_FILES)
_LAYOUT = re.compile("|".join([_layout_pattern(), *map(re.escape, _IN_ROOT)]))
