"""Mask methods and their audit: pure functions on arrays, one module per category."""
