"""Rasa's command line as this environment can run it: `python -m nlu.engine run`, `… -m nlu.engine data validate`."""

from nlu import without_tensorflow

without_tensorflow.install()

from rasa.__main__ import main  # noqa: E402 - only importable once the line above has run

if __name__ == "__main__":
    main()
