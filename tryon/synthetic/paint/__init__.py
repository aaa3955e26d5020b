"""Rendering primitives that know nothing of bodies or garments: curves, meshes, layers, backgrounds."""
