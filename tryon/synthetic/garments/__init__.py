"""Cut, lay flat and drape garments."""
