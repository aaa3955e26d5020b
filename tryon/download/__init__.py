"""Fetch a source, unpack it safely into `data/raw`, check every pair, write the index and the findings."""
