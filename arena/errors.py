"""Every error that arena raises on purpose.

ArenaError
├── UserError                 the input or an option is wrong: exit code 2
│   ├── ReadError             a file cannot be opened or parsed
│   ├── ColumnError           a column is missing, or holds the wrong kind of value
│   ├── LabelError            a vote says something that is not a known winner
│   ├── RejectedRowsError     rows had to be rejected, and strict reading was asked for
│   ├── NoEstimateError       the votes do not determine the ratings asked for
│   └── OptionError           an option has a value it cannot have
└── ConvergenceError          an iteration did not reach its tolerance: exit code 1

Messages are one line: what, where, and what to do instead.
"""


class ArenaError(Exception):
    """Base class of all errors raised on purpose."""


class UserError(ArenaError):
    """The input or an option is wrong; the message names the culprit and the way out."""


class ReadError(UserError, OSError):
    """A file cannot be opened or parsed."""


class ColumnError(UserError, KeyError):
    """A column is missing, or holds the wrong kind of value."""

    # KeyError would print the message as a repr, in quotes.
    __str__ = Exception.__str__


class LabelError(UserError, ValueError):
    """A vote says something that is not a known winner."""


class RejectedRowsError(UserError, ValueError):
    """Rows had to be rejected, and strict reading was asked for."""


class NoEstimateError(UserError, ValueError):
    """The votes do not determine the ratings asked for."""


class OptionError(UserError, ValueError):
    """An option has a value it cannot have."""


class ConvergenceError(ArenaError, ArithmeticError):
    """An iteration did not reach its tolerance."""
