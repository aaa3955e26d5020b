"""The HTML report and model card: galleries, charts, comparisons and templates."""
