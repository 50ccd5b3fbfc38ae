"""Pages about tasks and runs: the gallery, reports, the map and statistics."""
