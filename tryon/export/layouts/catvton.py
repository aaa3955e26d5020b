"""Layout of Dress Code as CatVTON reads it, `inference.py --dataset_name dresscode` of Zheng-Chong/CatVTON.

It splits lines at a single space, so Dress Code's lists, with tabs, do not work; it needs all three category folders;
and `--repaint` blurs the mask, which Pillow supports for 8-bit images only. Photos and masks are resized when read, so
any size works. The default is Dress Code's photos, byte for byte, and masks enlarged to their size by nearest neighbor.
"""

from __future__ import annotations

from typing import ClassVar

from tryon.dresscode.readers import Size, decode_photo, image_size
from tryon.export.layouts.layout import Files, Garment, Layout, Person
from tryon.export.render_images import encode_jpeg, encode_mask, resize_mask


class CatVTON(Layout):
    """Dress Code with `agnostic_masks`."""

    extra_roles: ClassVar[tuple[str, ...]] = ("garment",)
    note: ClassVar[str] = """\
<category>/images/<id>_0.jpg           people; Dress Code's files unless --size was given
<category>/images/<id>_1.jpg           garments
<category>/agnostic_masks/<id>_0.png   8-bit gray, 255 = to be repainted, 0 = visible; as large as the photo
<category>/*_pairs*.txt                person, one space, garment; of the rows that have a mask

Read by CatVTON: python inference.py --dataset_name dresscode --data_root_path <this folder>; with --eval_pair it reads
the paired list. It needs all three categories, and both test splits if both are to be run.
Not included: agnostic images (CatVTON makes them from photo and mask), DensePose and SCHP files (only needed to make
masks), the lists in the root (not read), captions.
"""

    def person_files(self, person: Person, size: Size | None) -> Files:
        """Make photo and mask."""
        mask = encode_mask(resize_mask(person.mask, size or image_size(person.photo)))
        name = f"{person.person_id}_0"
        return {f"images/{name}.jpg": _photo(person.photo, size), f"agnostic_masks/{name}.png": mask}

    def garment_files(self, garment: Garment, size: Size | None) -> Files:
        """Make the garment's photo."""
        return {f"images/{garment.garment_id}_1.jpg": _photo(garment.photo, size)}

    def pair_line(self, person_id: str, garment_id: str) -> str:
        """Format names with one space between them."""
        return f"{person_id}_0.jpg {garment_id}_1.jpg\n"


def _photo(data: bytes, size: Size | None) -> bytes:
    return data if size is None else encode_jpeg(decode_photo(data, size))
