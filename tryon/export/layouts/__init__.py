"""One layout per module, with the interface of `layout.py`."""

from tryon.export import Format
from tryon.export.layouts.catvton import CatVTON
from tryon.export.layouts.layout import Layout
from tryon.export.layouts.masks import Masks
from tryon.export.layouts.viton_hd import VitonHD

LAYOUTS: dict[Format, Layout] = {Format.MASKS: Masks(), Format.CATVTON: CatVTON(), Format.VITON_HD: VitonHD()}

__all__ = ["LAYOUTS"]
