"""What a layout has to say: which files a person and a garment become, and how its pair lists are written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Split
from tryon.dresscode.layout import pair_list_name
from tryon.dresscode.readers import Size

Files = dict[str, bytes]
"""Content of files by their paths below the category's folder."""


class Person(NamedTuple):
    """One person as the layouts get it: `photo` is the JPEG file, `mask` bool (H, W) of the manifest's size, True =
    hidden, `dense_pose` the PNG file with DensePose ids, None where there is none or the layout does not ask for it."""

    person_id: str
    split: Split
    photo: bytes
    mask: NDArray[np.bool_]
    dense_pose: bytes | None


class Garment(NamedTuple):
    """One garment: `photo` is the JPEG file, `size` the manifest's."""

    garment_id: str
    split: Split
    photo: bytes
    size: Size


class Layout(ABC):
    """A folder layout. Its files lie in one folder per category; methods are pure, bytes in and bytes out."""

    extra_roles: ClassVar[tuple[str, ...]]
    """Raw files that it is made from besides the person's photo: of "garment" and "dense_pose"."""

    lists: ClassVar[Mapping[Split, tuple[str, ...]]] = {split: (pair_list_name(split),) for split in Split}
    """Files that name the pairs of each split."""

    one_id_for_own_garment: ClassVar[bool] = False
    """Whether a person and the garment that they wear must have one id."""

    note: ClassVar[str]
    """For README.txt: what the files are, who reads them, and what is not there."""

    def place(self, split: Split) -> str:
        """Word for the part of the folder that a split's files go to: in each a person is written once."""
        return ""

    @abstractmethod
    def person_files(self, person: Person, size: Size | None) -> Files:
        """Files of one person, at `size` (height, width) or, when it is None, the layout's own choice."""

    def garment_files(self, garment: Garment, size: Size | None) -> Files:
        """Files of one garment."""
        return {}

    @abstractmethod
    def pair_line(self, person_id: str, garment_id: str) -> str:
        """Line of a pair list, with its end."""
