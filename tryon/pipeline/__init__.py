"""The stages by name, the inputs from outside the project, and disk estimates."""
