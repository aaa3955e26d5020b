"""The synthetic twin of Dress Code: people and garments drawn from one geometry, with the truth of every try-on."""
