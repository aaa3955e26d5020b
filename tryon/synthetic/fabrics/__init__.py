"""What garments are painted with."""
