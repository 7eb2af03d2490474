"""What a test refuses."""


class EvaluationError(ValueError):
    """A test that cannot give a number; the message names the value and the remedy."""
