"""Demonstrations as training reads them."""
