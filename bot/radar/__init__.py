"""The office radar: who is stuck where, how the weeks went, and the report of both."""
