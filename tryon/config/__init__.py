"""Typed settings of `params.yaml`: one module per section, loading, presets and overrides."""
