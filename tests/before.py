"""What the faults of issue 16, parts 3 to 5, did before they were told: tests print it beside the line of today."""

TAKEN = "taken without a word"
BEFORE = {
    # data
    "in 0..255 as float": TAKEN,
    "in -1..1": TAKEN,
    "nan pixels": TAKEN,
    "infinite pixels": TAKEN,
    "int64 images": TAKEN,
    "float64 images": TAKEN,
    "labels (N, 1)": TAKEN,
    "one-hot labels": TAKEN,
    "labels from -1": "train label 8, but the registry says 10 classes",
    "labels from 1": "train label 10, but the registry says 10 classes",
    "fractional labels": TAKEN,
    "nan labels": "train label nan, but the registry says 10 classes",
    # the config and the papers' files
    "a misspelt choice": "ignored: the whole grid runs",
    "an unknown profile by data": TAKEN,
    "nan epochs": "ValueError: cannot convert float NaN to integer",
    "infinite epochs": "OverflowError: cannot convert float infinity to integer",
    "epochs of 1e999": "OverflowError: cannot convert float infinity to integer",
    "nan epochs of a recipe": "a line of the recipe's that names no key of the config",
    "braces in results": TAKEN,
    "braces in data": TAKEN,
    "PGD at a step of 8": TAKEN,
    "a step of 8 eps": TAKEN,
    "a label of broken mathtext": "taken; its expression alone is printed after all training",
    "a claim between nothing": TAKEN,
    "a claim above nan": TAKEN,
    "not UTF-8": "'utf-8' codec can't decode byte 0xff in position 4914: invalid start byte",
    "an anchor inside itself": "RecursionError: maximum recursion depth exceeded",
    "3 fields": "TypeError: float() argument must be a string or a real number, not 'NoneType'",
    "no number": "a line on another row, two published numbers, not one",
    "bytes": "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 3835",
    # the command line
    "threads": "obeyed: 100,000 threads",
    "twice": "the later one wins without a word",
    "a looped anchor": "RecursionError: maximum recursion depth exceeded",
    "a table as a figure": "not enough values to unpack, after all training",
    "a figure as a table": "not enough values to unpack, after all training",
    "unknown": "MissingRuleException, no name that is near",
}
