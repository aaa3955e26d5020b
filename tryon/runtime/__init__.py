"""Atomic files, process pools, progress callbacks and code versions shared by all stages."""
