"""The protocol of CatVTON (Chong et al. 2024), which Leffa took over.

Where the results are not as high as the original photos, those are resized to the results' height and saved again under
their .jpg names, so with Pillow's quality of 75; all numbers are made against these. LPIPS is on SqueezeNet, FID and
KID are clean-fid's, KID times 1000.
"""

from __future__ import annotations

from tryon.dresscode.readers import Size
from tryon.metrics import METRICS
from tryon.scoring.protocols.pictures import as_jpeg, at_height
from tryon.scoring.protocols.protocol import Number, Picture, Protocol, Treated, as_it_is


def _true_picture(picture: Picture, size: Size) -> Treated:
    return as_it_is(picture if picture.shape[0] == size[0] else as_jpeg(at_height(picture, size[0])))


PROTOCOL = Protocol(
    name="catvton",
    origin="CatVTON, Leffa",
    size=None,
    reference="original",
    sizes="any",
    format=None,
    result=as_it_is,
    true_picture=_true_picture,
    numbers=(
        Number("ssim", METRICS["ssim"]),
        Number("lpips", METRICS["lpips_squeeze"]),
        Number("fid", METRICS["fid_clean"]),
        Number("kid", METRICS["kid_clean"], scale=1000),
    ),
    handling={
        "results": "as they are",
        "reference": "the original photo resized to the results' height by Pillow, Lanczos, and saved as JPEG of "
        "quality 75, unless it has that height",
    },
)
