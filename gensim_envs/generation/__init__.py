"""From a model's answer to a published task."""
