"""What an error of a library began with: they wrap each other, down to the operating system's."""

from __future__ import annotations


def innermost(error: BaseException) -> BaseException:
    """The first cause."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        wrapped = (getattr(error, "reason", None), error.__cause__, error.__context__, *error.args)
        error = next((item for item in wrapped if isinstance(item, BaseException)), error)
    return error


def reason(error: BaseException) -> str:
    """The words of the first cause, on one line."""
    return " ".join(str(innermost(error)).split())
