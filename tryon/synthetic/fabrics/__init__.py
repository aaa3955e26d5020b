"""Paint fabrics: patterns, prints, lettering and weaves."""
