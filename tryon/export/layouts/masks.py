"""Plain layout for custom loaders: masks and agnostic images with the names of Dress Code's photos.

No public codebase defines it. Both folders fit next to `images/` in a copy of the data set.
"""

from __future__ import annotations

from typing import ClassVar

from tryon.dresscode.pair_lists import Pair, format_pair_list
from tryon.dresscode.readers import Size, decode_photo
from tryon.export.layouts.layout import Files, Layout, Person
from tryon.export.render_images import encode_jpeg, encode_mask, gray_out, resize_mask


class Masks(Layout):
    """Masks and agnostic images only."""

    extra_roles: ClassVar[tuple[str, ...]] = ()
    note: ClassVar[str] = """\
<category>/masks/<id>_0.png      8-bit gray, 255 = masked, 0 = visible
<category>/agnostic/<id>_0.jpg   the photo with masked pixels black; JPEG quality 95, so the edge of the black is soft
<category>/*_pairs*.txt          Dress Code's lists (person, tab, garment), of the rows that have a mask

Not included: photos and garments. The names are those of Dress Code's files in <category>/images.
"""

    def person_files(self, person: Person, size: Size | None) -> Files:
        """Make mask and agnostic image."""
        mask = resize_mask(person.mask, size or person.mask.shape)
        photo = decode_photo(person.photo, mask.shape)
        name = f"{person.person_id}_0"
        return {f"masks/{name}.png": encode_mask(mask), f"agnostic/{name}.jpg": encode_jpeg(gray_out(photo, mask, 0))}

    def pair_line(self, person_id: str, garment_id: str) -> str:
        """Format as in Dress Code."""
        return format_pair_list([Pair(person_id, garment_id)])
