"""Model people: pose, body, skin, face, hair, accessories and camera."""
