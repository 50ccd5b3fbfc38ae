"""All tasks of a library on one page, and as a Markdown table."""
