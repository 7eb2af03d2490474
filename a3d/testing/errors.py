"""What a test refuses."""

from a3d.errors import A3DError


class EvaluationError(A3DError, ValueError):
    """A test that cannot give a number; the message names the value and the remedy."""
