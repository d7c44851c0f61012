"""How a number of the papers is written."""


def number_text(value: float | None) -> str:
    """A strength as people write it: 60, 0.2, 8/255 (an eps that is k/255 and no short decimal), "" for none."""
    if value is None:
        return ""
    if abs(value - round(value, 3)) > 1e-9 and abs(value * 255 - round(value * 255)) < 1e-6:
        return f"{round(value * 255)}/255"
    return f"{value:g}"
