"""Copy what is small and worth keeping of a folder of results: figures, tables, claims and provenance.

    python workflow_scripts/keep_results.py results/overnight/1_mnist docs/results/1_mnist --but cusp/fig8 cusp/fig15

Images of a data set (figures of the kind "images"), weights and per-image predictions stay behind. A PNG is kept in 256
colours, which takes a third of the room.
"""

import argparse
import shutil
from pathlib import Path

from PIL import Image

FIGURES = ("csv", "csv.sha256", "png")
TABLES = ("csv", "md")
OVERALL = ("claims.csv", "provenance.csv", "plan.csv")
REPLACED = ("figures", "tables", "claims")


def kept(results: Path, but: set[str]) -> list[Path]:
    """The files of `results` to keep, without those of the targets in `but` (<paper>/<target>)."""
    files = [results / name for name in OVERALL] + sorted(results.glob("claims/*.csv"))
    for folder, kinds in (("figures", FIGURES), ("tables", TABLES)):
        for csv in sorted(results.glob(f"{folder}/*/*.csv")):
            if f"{csv.parent.name}/{csv.stem}" not in but and not _shows_images(csv):
                files += [csv.with_name(f"{csv.stem}.{kind}") for kind in kinds]
                files += sorted(csv.parent.glob(f"{csv.stem}_[2-9].png"))  # a figure's further pages
    return [file for file in files if file.is_file()]


def _shows_images(csv: Path) -> bool:
    """Whether a tidy CSV holds pixels of a data set."""
    with csv.open(encoding="utf-8") as file:
        return "pixels" in next(file).rstrip().split(",")


def _with_fewer_colours(png: Path, copy: Path) -> None:
    with Image.open(png) as image:
        # not the median cut, which gives the colours of thin lines away
        few = image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(copy, optimize=True)


def keep(results: Path, folder: Path, but: set[str]) -> list[Path]:
    """Copy them to `folder`, which loses what it held of other targets; returns the copies.

    ValueError where there is none, or where `folder` is the results' own or that of a project.
    """
    files = kept(results, but)
    if not files:
        raise ValueError(f"{results}: no figure, table or claims")
    if folder.resolve() == results.resolve() or (folder / "Snakefile").exists() or (folder / ".git").exists():
        raise ValueError(f"{folder}: not a folder for copies, whose figures, tables and claims are replaced")
    for name in REPLACED:  # its config.yaml says what was drawn, and stays
        shutil.rmtree(folder / name, ignore_errors=True)
    copies = [folder / file.relative_to(results) for file in files]
    for file, copy in zip(files, copies, strict=True):
        copy.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".png":
            _with_fewer_colours(file, copy)
        else:
            shutil.copyfile(file, copy)
    return copies


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--but", nargs="*", default=[], metavar="PAPER/TARGET")
    typed = parser.parse_args()
    try:
        copies = keep(typed.results, typed.folder, set(typed.but))
    except ValueError as error:
        raise SystemExit(str(error)) from None
    print(
        f"{len(copies)} files, {sum(copy.stat().st_size for copy in copies) / 1e6:.1f} MB, in {typed.folder}"
    )
