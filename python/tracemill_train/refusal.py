"""The one error thrown on purpose: bad input, answered with what was expected, what was found, where and what mends it."""

from __future__ import annotations


class Refusal(Exception):
    """Bad input. `code` is stable and upper-case; the other fields are for people and may be absent."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        expected: str | None = None,
        got: str | None = None,
        where: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.details: dict[str, str] = {"code": code, "message": message}
        known = {"expected": expected, "got": got, "where": where, "fix": fix}
        self.details.update({key: text for key, text in known.items() if text is not None})
