"""Packed rows as batches of network inputs: decoding, augmentation, batching and normalization."""
