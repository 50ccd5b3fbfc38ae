"""Policies: what each sees, learns and does."""
