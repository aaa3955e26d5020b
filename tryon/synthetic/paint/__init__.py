"""The painter: curves, bent grids, layers, backgrounds; nothing here knows what a body or a garment is."""
