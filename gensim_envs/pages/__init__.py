"""Pages about tasks and runs, as HTML files that need no network."""
