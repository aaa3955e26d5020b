"""The library: from a Dress Code archive to a try-on model and its report. Knows neither Prefect nor DVC."""
