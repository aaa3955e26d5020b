"""The masks: one module per category and helper shape, all pure functions on arrays."""
