"""Where the data set's files come from: a folder or a zip archive, read the same way."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from tryon.categories import Category
from tryon.download.members import MAX_MEMBER_BYTES, Member, select_members
from tryon.errors import SourceError, format_list
from tryon.runtime.progress import Progress, no_progress

MAX_EXPANSION = 100
"""Most unpacked bytes for each byte of an archive; images and maps hardly shrink, bombs do."""

HARMLESS_BYTES = 2**30
"""An archive that unpacks to less is never taken for a bomb."""

_REFETCH = "Fetch the archive again, or name a folder that it was unpacked into."


class Container(Protocol):
    """A source's files, whatever holds them."""

    name: str

    def members(self) -> list[Member]:
        """Files that belong to the layout, sorted by target."""
        ...

    def same(self, member: Member, path: Path) -> bool:
        """Whether `path` holds this member already."""
        ...

    def copy(self, member: Member, path: Path) -> None:
        """Write the member's content to `path`."""
        ...

    def read(self, member: Member) -> bytes:
        """The member's content."""
        ...


def open_container(path: Path) -> Container:
    """The container at `path`.

    Raises:
        SourceError: it is neither a folder nor a whole zip archive.
    """
    return FolderContainer(path) if path.is_dir() else ZipContainer(path)


class FolderContainer:
    """A folder that holds the data set, itself or in one folder inside. Links in it are followed."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path)

    def members(self, progress: Progress = no_progress) -> list[Member]:
        """Look only where the layout has files, so that other things in the folder cost nothing."""
        try:
            roots = [self.path, *sorted(child for child in self.path.iterdir() if child.is_dir())]
            roots = [root for root in roots if any((root / category).is_dir() for category in Category)]
            files = [member for root in roots for member in self._resolve(root, progress)]
        except OSError as error:
            raise SourceError(self.name, expected="can be read", found=str(error)) from error
        return select_members(files, self.name)

    def same(self, member: Member, path: Path) -> bool:
        """Same size and time of change."""
        there = path.lstat()
        return stat.S_ISREG(there.st_mode) and (there.st_size, there.st_mtime_ns) == (member.size, member.mtime_ns)

    def copy(self, member: Member, path: Path) -> None:
        """Copy content and time of change."""
        shutil.copyfile(self.path / member.name, path)
        os.utime(path, ns=(member.mtime_ns, member.mtime_ns))

    def read(self, member: Member) -> bytes:
        """Read one file."""
        return (self.path / member.name).read_bytes()

    def _resolve(self, root: Path, progress: Progress) -> list[Member]:
        folders = [root]
        for category in Category:
            if (root / category).is_dir():
                folders += [root / category, *(child for child in (root / category).iterdir() if child.is_dir())]
        found = []
        for done, folder in enumerate(folders, start=1):
            within = "".join(f"{part}/" for part in folder.relative_to(self.path).parts)
            for entry in os.scandir(folder):
                if entry.is_file():
                    facts = entry.stat()
                    found.append(Member(within + entry.name, "", facts.st_size, facts.st_mtime_ns))
            progress(done, len(folders), f"folders of {root.name} looked at")
        return found


class ZipContainer:
    """A zip archive.

    Raises:
        SourceError: it is not a whole zip archive, or it is encrypted, holds links, or swells like a bomb.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            size = f"{path.stat().st_size} bytes, {error}"
            raise SourceError(self.name, expected="is a whole zip archive", found=size, hint=_REFETCH) from error
        self._check()

    def members(self) -> list[Member]:
        """Taken from the archive's directory; nothing is unpacked."""
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        return select_members((Member(info.filename, "", info.file_size) for info in infos), self.name)

    def same(self, member: Member, path: Path) -> bool:
        """Same size and CRC-32."""
        there = path.lstat()
        if not stat.S_ISREG(there.st_mode) or there.st_size != member.size:
            return False
        return zlib.crc32(path.read_bytes()) == self._zip.getinfo(member.name).CRC

    def copy(self, member: Member, path: Path) -> None:
        """Unpack one file."""
        path.write_bytes(self.read(member))

    def read(self, member: Member) -> bytes:
        """Never more bytes than the directory says, and only if the CRC-32 holds."""
        try:
            with self._zip.open(member.name) as stream:
                return stream.read(min(member.size, MAX_MEMBER_BYTES) + 1)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
            what = f"{self.name}, member {member.name}"
            raise SourceError(what, expected="unpacks whole", found=str(error), hint=_REFETCH) from error

    def _check(self) -> None:
        infos = self._zip.infolist()
        links = [info.filename for info in infos if stat.S_ISLNK(info.external_attr >> 16)]
        if links:
            raise SourceError(self.name, expected="holds no links", found=format_list(links), hint=_REFETCH)
        if any(info.flag_bits & 1 for info in infos):
            remedy = "Unpack it with its password and name the folder as download.source."
            raise SourceError(self.name, expected="is not encrypted", hint=remedy)
        total, packed = sum(info.file_size for info in infos), self.path.stat().st_size
        if total > max(HARMLESS_BYTES, MAX_EXPANSION * packed):
            rule = f"unpacks to at most {MAX_EXPANSION} times its size"
            raise SourceError(self.name, expected=rule, found=f"{packed} bytes to {total}")
