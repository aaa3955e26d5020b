"""Files, processes, progress and code versions: what every stage runs on."""
