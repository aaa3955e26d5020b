"""Settings of `params.yaml`: one model per section, loading, presets and overrides."""
