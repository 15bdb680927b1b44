"""What reading a pasted key or certificate raises where it is none, or of a kind that isn't known."""

from cryptography.exceptions import InternalError, UnsupportedAlgorithm

NOT_READABLE = (ValueError, TypeError, UnsupportedAlgorithm, InternalError)
