"""Dress Code as it lies on disk: folders and names, pair lists, label ids, readers of its files, the pose image."""
