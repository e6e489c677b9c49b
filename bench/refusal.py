"""Why the benchmark cannot run or cannot go on, said in one line."""


class CannotRunError(Exception):
    """Nothing was measured: the arguments or the machine do not allow it."""


class NotProvenError(Exception):
    """A proxy does not do what the case is about; what it would measure says nothing."""
