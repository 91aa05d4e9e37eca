"""What is wrong with a schedule, and what would be right: two sentences for a machine's owner."""

SHOWN_CHARACTERS = 100


class ScheduleError(ValueError):
    """A text that is not a schedule. `problem` says why, `suggestion` what to write instead."""

    def __init__(self, problem: str, suggestion: str) -> None:
        super().__init__(f"{problem}; {suggestion}")
        self.problem = problem
        self.suggestion = suggestion


def shown(text: str) -> str:
    """What someone typed, safe for a log line: at most 100 characters, none of them unprintable."""
    cut = text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."
    return "".join(char if char.isprintable() else "?" for char in cut)
