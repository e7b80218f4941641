"""Accueil: the welcome desk of an international office, in chat."""
