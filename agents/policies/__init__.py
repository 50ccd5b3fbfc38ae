"""Policies: the interface, one file for each, and the networks and text encoders they share."""
