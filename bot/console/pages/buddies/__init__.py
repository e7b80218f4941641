"""The coordinator's page of buddies."""
