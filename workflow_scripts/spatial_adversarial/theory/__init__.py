"""The papers' theorems against simulation: cyclic codes, sampling, and the two sides of each statement."""
