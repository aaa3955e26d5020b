from __future__ import annotations

import numpy as np
import pytest

from tryon.synthetic.paint.raster import STEP, RasterizedMesh, interpolate, nearest_ids, rasterize, upsample

SIZE = (256, 320)


def placed_alone(points: np.ndarray) -> RasterizedMesh | None:
    return rasterize([points], SIZE)[0]


def grid(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    row, column = np.mgrid[0:rows, 0:columns].astype(float)
    return row, column


def bent_mesh(seed: int, rows: int = 9, columns: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    row, column = grid(rows, columns)
    points = np.stack([40 + 30 * column + 9 * np.sin(row), 30 + 22 * row + 6 * column], axis=-1)
    return points + rng.normal(0, 4, points.shape)


def by_brute_force(points: np.ndarray) -> np.ndarray:
    """Places (H / 4, W / 4, 2) of all pixels, triangle by triangle, turned ones first; -1 outside."""
    coarse = (points - (STEP - 1) / 2) / STEP
    y, x = np.mgrid[0 : SIZE[0] // STEP, 0 : SIZE[1] // STEP].astype(float)
    places = np.full((*x.shape, 2), -1.0)
    found: list[tuple[float, np.ndarray, np.ndarray]] = []
    for row in range(points.shape[0] - 1):
        for column in range(points.shape[1] - 1):
            for corners in (((0, 0), (0, 1), (1, 0)), ((1, 1), (1, 0), (0, 1))):
                at = [np.array([column + right, row + down], float) for down, right in corners]
                p0, p1, p2 = (coarse[row + down, column + right] for down, right in corners)
                area = float((p1[0] - p0[0]) * (p2[1] - p0[1]) - (p1[1] - p0[1]) * (p2[0] - p0[0]))
                along = ((x - p0[0]) * (p2[1] - p0[1]) - (y - p0[1]) * (p2[0] - p0[0])) / area
                down = ((y - p0[1]) * (p1[0] - p0[0]) - (x - p0[0]) * (p1[1] - p0[1])) / area
                inside = (along >= 0) & (down >= 0) & (along + down <= 1)
                place = at[0] + along[..., None] * (at[1] - at[0]) + down[..., None] * (at[2] - at[0])
                found.append((area, inside, place))
    whole = sum(area for area, *_ in found)
    for turned in (True, False):
        for area, inside, place in found:
            if (area * whole < 0) == turned:
                places[inside] = place[inside]
    return places


@pytest.mark.parametrize("seed", range(6))
def test_every_pixel_gets_the_place_that_a_plain_loop_over_triangles_gives_it(seed):
    points = bent_mesh(seed)
    if seed > 3:
        points[4] = points[2] - (0, 5)  # a fold: some cells are turned over
    placed, expected = placed_alone(points), by_brute_force(points)
    assert placed is not None
    found = np.full(expected.shape, -1.0)
    top, left = placed.window.top // STEP, placed.window.left // STEP
    found[top : top + placed.grid_coordinates.shape[0], left : left + placed.grid_coordinates.shape[1]] = (
        placed.grid_coordinates
    )
    assert np.allclose(found, expected, atol=1e-4)
    assert placed.covered.sum() == (expected[..., 0] >= 0).sum()


def test_the_rasteriser_inverts_a_mesh():
    """Points of a bent grid: the place found at a point's pixel is the point's own place."""
    rows, columns = np.mgrid[0:9, 0:7].astype(float)
    points = np.stack([100 + 30 * columns + 8 * np.sin(rows), 60 + 40 * rows + 5 * columns], axis=-1)
    (placed,) = rasterize([points], (512, 512))
    assert placed is not None
    places = upsample(placed.grid_coordinates, placed.window)
    for row, column in ((2, 3), (4, 1), (6, 5)):
        x, y = points[row, column] - (placed.window.left, placed.window.top)
        assert np.allclose(places[round(y), round(x)], (column, row), atol=0.05)
    covered = placed.covered.sum() * STEP**2
    outline = np.concatenate([points[0], points[1:, -1], points[-1, -2::-1], points[-2:0:-1, 0]])
    following = np.roll(outline, -1, axis=0)
    area = abs((outline[:, 0] * following[:, 1] - outline[:, 1] * following[:, 0]).sum()) / 2
    assert covered == pytest.approx(area, rel=0.02)


def test_where_a_mesh_lies_over_itself_the_later_rows_are_seen():
    row, column = grid(3, 2)
    y = np.array([100.0, 160, 120])[row.astype(int)]  # the second row of cells goes back over the first
    points = np.stack([60 + 80 * column + 0 * row, y], axis=-1)
    points[2, :, 0] = points[2, ::-1, 0]  # turned round, so that both have the same side up
    placed = placed_alone(points)
    assert placed is not None
    places = upsample(placed.grid_coordinates, placed.window)
    assert places[140 - placed.window.top, 100 - placed.window.left, 1] > 1
    assert places[108 - placed.window.top, 100 - placed.window.left, 1] < 1


def test_a_mesh_without_pixels_in_the_image_has_no_place():
    for x, y in ((900, 10), (-80, 10), (10, 900), (10, -80)):
        assert placed_alone(np.stack(np.meshgrid([x, x + 50.0], [y, y + 40.0]), axis=-1)) is None
    assert placed_alone(np.full((3, 3, 2), 100.0)) is None


def test_meshes_placed_together_are_placed_as_if_each_were_alone():
    meshes = [bent_mesh(0), bent_mesh(1, 4, 11), np.full((2, 2, 2), 900.0), bent_mesh(2, 2, 2)]
    for points, together in zip(meshes, rasterize(meshes, SIZE), strict=True):
        alone = placed_alone(points)
        if alone is None or together is None:
            assert alone is together
            continue
        assert alone.window == together.window
        assert np.array_equal(alone.grid_coordinates, together.grid_coordinates)
        assert np.array_equal(alone.covered, together.covered)


def test_a_mesh_that_sticks_out_is_placed_as_if_the_image_were_larger():
    points = bent_mesh(1)
    (whole,), (part,) = rasterize([points + 64], (512, 512)), rasterize([points - 64], (128, 128))
    assert whole is not None
    assert part is not None
    assert (part.window.top, part.window.left) == (0, 0)
    rows, columns = part.grid_coordinates.shape[:2]
    top, left = (128 - whole.window.top) // STEP, (128 - whole.window.left) // STEP
    assert np.allclose(
        part.grid_coordinates, whole.grid_coordinates[top : top + rows, left : left + columns], atol=1e-4
    )


def test_linear_values_are_looked_up_exactly():
    points = bent_mesh(2)
    row, column = grid(*points.shape[:2])
    placed = placed_alone(points)
    assert placed is not None
    sums, rows = interpolate(placed, 2 * row + 3 * column, row)
    expected = 2 * placed.grid_coordinates[..., 1] + 3 * placed.grid_coordinates[..., 0]
    assert np.allclose(sums[placed.covered], expected[placed.covered], atol=1e-4)
    assert np.allclose(rows[placed.covered], placed.grid_coordinates[placed.covered, 1], atol=1e-4)


def test_the_nearest_point_gives_its_id():
    points = bent_mesh(2)
    row, column = grid(*points.shape[:2])
    ids = (row * 10 + column).astype(np.uint8)
    placed = placed_alone(points)
    assert placed is not None
    found = nearest_ids(placed, ids)
    assert found.shape == (placed.window.height, placed.window.width)
    for r, c in ((2, 2), (4, 3), (7, 1)):
        x, y = np.rint(points[r, c]).astype(int) - (placed.window.left, placed.window.top)
        assert found[y, x] == ids[r, c]
    inside = upsample(placed.covered.astype(np.float32), placed.window) == 1
    assert set(np.unique(found[inside])) <= set(ids.ravel())


def test_blocks_of_ids_lie_where_every_pixel_looked_up_alone_has_them():
    points = bent_mesh(2)
    placed = placed_alone(points)
    assert placed is not None
    ids = np.full(points.shape[:2], 3, np.uint8)
    ids[3:], ids[3:, 2:], ids[5:, 4:] = 7, 12, 1
    column, row = np.rint(upsample(placed.grid_coordinates, placed.window)).astype(int).transpose(2, 0, 1)
    looked_up = ids[row.clip(0, len(ids) - 1), column.clip(0, points.shape[1] - 1)]
    assert np.array_equal(nearest_ids(placed, ids), looked_up)
