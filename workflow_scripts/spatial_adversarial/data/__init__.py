"""Data sets: their raw files, one prepared HDF5 layout for all of them, and loading onto the device."""

IDENTITY = ("source", "classes", "channels", "side", "train", "test", "checksums")


def identity(entry: dict) -> dict:
    """What of a data set's registry entry makes its images and labels: not its words, nor where its files lie."""
    return {key: entry[key] for key in IDENTITY if key in entry}
