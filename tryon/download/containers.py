"""Read the files of a data set from a folder or a zip archive through one interface."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from tryon.categories import Category
from tryon.download.members import MAX_MEMBER_BYTES, Member, select_members
from tryon.errors import SourceError, format_list
from tryon.runtime.progress import Progress, no_progress

MAX_EXPANSION = 100
"""Maximum ratio of unpacked to packed bytes; images and maps hardly compress, zip bombs do."""

HARMLESS_BYTES = 2**30
"""Unpacked bytes up to which an archive is never rejected as a zip bomb."""

_REFETCH = "Download the archive again, or unpack it and set download.source to the folder."


class FolderContainer:
    """A folder that contains the data set, directly or in one subfolder. Links are followed."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path)

    def members(self, progress: Progress = no_progress) -> list[Member]:
        """List the files of the layout; other folders are not scanned."""
        try:
            roots = [self.path, *sorted(child for child in self.path.iterdir() if child.is_dir())]
            roots = [root for root in roots if any((root / category).is_dir() for category in Category)]
            files = [member for root in roots for member in self._scan(root, progress)]
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read", found=str(error)) from error
        return select_members(files, self.name)

    def same(self, member: Member, path: Path) -> bool:
        """Compare size and modification time."""
        status = path.lstat()
        return stat.S_ISREG(status.st_mode) and (status.st_size, status.st_mtime_ns) == (member.size, member.mtime_ns)

    def copy(self, member: Member, path: Path) -> None:
        """Copy content and modification time."""
        shutil.copyfile(self.path / member.name, path)
        os.utime(path, ns=(member.mtime_ns, member.mtime_ns))

    def read(self, member: Member) -> bytes:
        """Return the file's content."""
        return (self.path / member.name).read_bytes()

    def _scan(self, root: Path, progress: Progress) -> list[Member]:
        folders = [root]
        for category in Category:
            if (root / category).is_dir():
                folders += [root / category, *(child for child in (root / category).iterdir() if child.is_dir())]
        members = []
        for done, folder in enumerate(folders, start=1):
            prefix = "".join(f"{part}/" for part in folder.relative_to(self.path).parts)
            for entry in os.scandir(folder):
                if entry.is_file():
                    status = entry.stat()
                    members.append(Member(prefix + entry.name, "", status.st_size, status.st_mtime_ns))
            progress(done, len(folders), f"folders of {root.name} scanned")
        return members


class ZipContainer:
    """A zip archive.

    Raises:
        SourceError: it is not a complete zip archive, is encrypted, contains links, or is a zip bomb.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise SourceError(
                f"{path} is not a complete zip archive", found=f"{path.stat().st_size} bytes, {error}", hint=_REFETCH
            ) from error
        self._check()

    def members(self) -> list[Member]:
        """List the files of the layout from the archive's directory."""
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        return select_members((Member(info.filename, "", info.file_size) for info in infos), self.name)

    def same(self, member: Member, path: Path) -> bool:
        """Compare size and CRC-32."""
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size != member.size:
            return False
        return zlib.crc32(path.read_bytes()) == self._zip.getinfo(member.name).CRC

    def copy(self, member: Member, path: Path) -> None:
        """Unpack the file."""
        path.write_bytes(self.read(member))

    def read(self, member: Member) -> bytes:
        """Unpack at most the bytes that the directory states, and verify the CRC-32."""
        try:
            with self._zip.open(member.name) as stream:
                return stream.read(min(member.size, MAX_MEMBER_BYTES) + 1)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
            raise SourceError(
                f"{member.name} in {self.name} cannot be unpacked", found=str(error), hint=_REFETCH
            ) from error

    def _check(self) -> None:
        infos = self._zip.infolist()
        links = [info.filename for info in infos if stat.S_ISLNK(info.external_attr >> 16)]
        if links:
            raise SourceError(f"{self.name} contains links", found=format_list(links), hint=_REFETCH)
        if any(info.flag_bits & 1 for info in infos):
            raise SourceError(
                f"{self.name} is encrypted", hint="Unpack it with its password and set download.source to the folder."
            )
        size, packed = sum(info.file_size for info in infos), self.path.stat().st_size
        if size > max(HARMLESS_BYTES, MAX_EXPANSION * packed):
            raise SourceError(
                f"{self.name} may be a zip bomb",
                found=f"{packed} bytes for {size}",
                expected=f"at most {MAX_EXPANSION} times the packed size",
            )


Container = FolderContainer | ZipContainer


def open_container(path: Path) -> Container:
    """Open a folder or a zip archive.

    Raises:
        SourceError: the file is not a complete zip archive.
    """
    return FolderContainer(path) if path.is_dir() else ZipContainer(path)
