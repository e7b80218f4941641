"""Accueil as a set of processes: check, start, watch, restart, stop."""
