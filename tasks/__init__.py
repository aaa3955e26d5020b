"""How a stage's work becomes Prefect tasks: thin wrappers around `tryon`, DVC calls, artifacts."""
