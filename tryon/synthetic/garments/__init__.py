"""Garments: their kinds, how they are cut, and how they lie flat and on a body."""
