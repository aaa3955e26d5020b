"""People: stance, shape, skin, hair, and how the camera sees them."""
