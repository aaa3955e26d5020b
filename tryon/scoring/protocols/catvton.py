"""Protocol of CatVTON (Chong et al. 2024), also used by Leffa.

Original photos are resized to the height of the results, unless they have it, and saved as .jpg with Pillow's default
quality of 75; all scores are computed against these. LPIPS uses SqueezeNet, FID and KID are clean-fid's, KID x 1000.
"""

from __future__ import annotations

from tryon.dresscode.readers import Size
from tryon.metrics import METRICS
from tryon.scoring.protocols.preprocessing import as_jpeg, at_height
from tryon.scoring.protocols.protocol import ImageArray, PreprocessedImage, Protocol, ProtocolMetric, identity


def _true_image(image: ImageArray, size: Size) -> PreprocessedImage:
    return identity(image if image.shape[0] == size[0] else as_jpeg(at_height(image, size[0])))


PROTOCOL = Protocol(
    name="catvton",
    origin="CatVTON, Leffa",
    size=None,
    reference="original",
    sizes="any",
    format=None,
    result=identity,
    true_image=_true_image,
    metrics=(
        ProtocolMetric("ssim", METRICS["ssim"]),
        ProtocolMetric("lpips", METRICS["lpips_squeeze"]),
        ProtocolMetric("fid", METRICS["fid_clean"]),
        ProtocolMetric("kid", METRICS["kid_clean"], scale=1000),
    ),
    handling={
        "results": "as they are",
        "reference": "the original photo resized to the results' height by Pillow, Lanczos, and saved as JPEG of "
        "quality 75, unless it has that height",
    },
)
