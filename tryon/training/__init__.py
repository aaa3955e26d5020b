"""The two training stages: a starting point on upper-body garments, then all three categories together."""
