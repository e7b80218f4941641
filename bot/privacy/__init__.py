"""My data: what is kept about a person, a copy of it, its erasure, and how long everything is kept."""
