"""PNG encoding and decoding that no library does as fast."""
