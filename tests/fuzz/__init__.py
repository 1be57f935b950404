"""Coverage-guided fuzzing of every decoder, with atheris: `python -m tests.fuzz --seconds 600`."""
