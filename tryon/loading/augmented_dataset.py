"""Packed rows changed at random: mirrored, moved, in other colours, before another background, hidden more generously.

What is drawn for a row depends on seed, epoch and the row's position alone, not on the order of the rows, on the
process or on what came before; so a run that is taken up again sees what it would have seen.
"""

from __future__ import annotations

from dataclasses import replace

from tryon.config.augmentation import AugmentSettings
from tryon.loading.augmentations import Motion, Mover, colour_map, grow, jitter, random_scene, replace_background
from tryon.loading.epoch_order import epoch_chances
from tryon.loading.packed_dataset import Example, PackedRows

_MOTIONS = tuple(f"{what} {how}" for what in ("person", "garment") for how in ("right", "down", "turn", "scale"))
_DRAWN = (
    "mirror", "background", "scene", "jitter", "brightness", "contrast", "saturation", "hue",
    "move", "move garment", *_MOTIONS, "grow", "radius",
)  # fmt: skip


class AugmentedRows:
    """The rows of one epoch.

    Args:
        rows: as they are; where backgrounds are replaced, with the column `background`.
        flip: probability of mirroring a row.
        settings: of all other changes.
        seed, epoch: what is drawn depends on these.
    """

    def __init__(self, rows: PackedRows, flip: float, settings: AugmentSettings, seed: int, epoch: int) -> None:
        self._rows, self._settings = rows, settings
        self._chances = {name: epoch_chances(len(rows), seed, epoch, name) for name in _DRAWN}
        self._flip = flip

    def example(self, index: int) -> Example:
        """Decode row `index` and change it. Mirroring is left to the device.

        Raises:
            TryOnError: a picture of the row is damaged, or its background is unknown.
        """
        settings = self._settings
        example = replace(self._rows.example(index), mirrored=self._draw("mirror", index) < self._flip)
        for name, probability, change in (
            ("background", settings.background, self._with_background),
            ("jitter", settings.jitter, self._in_other_colours),
            ("move", settings.move, self._moved),
            ("move garment", settings.move_garment, self._with_moved_garment),
            ("grow", settings.grow, self._hidden_more),
        ):
            if self._draw(name, index) < probability:
                example = change(example, index)
        return example

    def _with_background(self, example: Example, index: int) -> Example:
        scene = random_scene(self._rows.size, int(self._draw("scene", index) * 2**53))
        background = self._rows.mask("background", index)
        return replace(example, person=replace_background(example.person, background, example.mask, scene))

    def _in_other_colours(self, example: Example, index: int) -> Example:
        settings = self._settings
        colours = colour_map(
            1 + self._swing("brightness", index, settings.brightness),
            1 + self._swing("contrast", index, settings.contrast),
            1 + self._swing("saturation", index, settings.saturation),
            self._swing("hue", index, settings.hue),
        )
        return replace(example, person=jitter(example.person, colours), garment=jitter(example.garment, colours))

    def _moved(self, example: Example, index: int) -> Example:
        mover = self._mover("person", index)
        mask, garment_mask = mover.masks(example.mask, example.garment_mask)
        person, keypoints = mover.picture(example.person), mover.keypoints(example.keypoints)
        return replace(example, person=person, mask=mask, garment_mask=garment_mask, keypoints=keypoints)

    def _with_moved_garment(self, example: Example, index: int) -> Example:
        return replace(example, garment=self._mover("garment", index).picture(example.garment))

    def _hidden_more(self, example: Example, index: int) -> Example:
        most = self._settings.grow_radius * self._rows.size[0]
        return replace(example, mask=grow(example.mask, self._draw("radius", index) * most))

    def _mover(self, what: str, index: int) -> Mover:
        settings, (height, width) = self._settings, self._rows.size
        motion = Motion(
            right=self._swing(f"{what} right", index, settings.shift) * width,
            down=self._swing(f"{what} down", index, settings.shift) * height,
            turn=self._swing(f"{what} turn", index, settings.rotation),
            scale=1 + self._swing(f"{what} scale", index, settings.scale),
        )
        return Mover(motion, (height, width))

    def _swing(self, name: str, index: int, most: float) -> float:
        """A number between -most and most."""
        return (2 * self._draw(name, index) - 1) * most

    def _draw(self, name: str, index: int) -> float:
        """A number in [0, 1)."""
        return float(self._chances[name][index])
