"""Render a synthetic Dress Code: people and garments from one geometry, with ground truth for every try-on."""
