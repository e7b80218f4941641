"""Commands of the features, one file each; `add_to(app)` hangs them into the command line of bot.__main__."""
