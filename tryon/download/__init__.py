"""Fetch a source, unpack it safely into `data/raw`, validate every pair, and write the index and the findings."""
