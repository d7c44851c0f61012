"""Data sets: their raw files, one prepared HDF5 layout for all of them, and loading onto the device."""
