"""Figures from synthetic rows: what is drawn, how it is labelled, and the same bytes each time."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest

from spatial_adversarial import panels
from spatial_adversarial.catalog import load
from spatial_adversarial.plots import boundary_slice, layout, style
from spatial_adversarial.records.drawing import DrawnFigure, DrawnLine, DrawnPanel
from spatial_adversarial.records.tidy import number
from spatial_adversarial.reporting import captions

ROOT = Path(__file__).parents[1]
EMPTY = ("panel", "status", "kind", "metric", "column", "value", "low", "high", "x", "strength", "source")

AXES = {name: kind.x_axis for name, kind in panels.PANELS.items()}
PLANE = "trade-off"  # the title of the plane above a grid
DEGREES = {"profile": "rotation", "x_unit": "degrees", "strength_label": "trained up to ±degrees"}
SHIFTS = {"profile": "translation", "x_unit": "fraction", "strength_label": "trained up to ±shift"}
JOINT = {**SHIFTS, "profile": "rotation_translation"}
ROTATIONS = ["0", "30", "60", "90", "120", "150", "180"]
FRACTIONS = ["0", "0.1", "0.2", "0.3", "0.4"]
BUDGETS = np.array([0, 1, 2, 4, 8, 16, 32, 64, 255]) / 255
POINTS = {"degrees": np.arange(0, 181, 15), "fraction": np.arange(9) / 20, "eps": BUDGETS}


def make_panel(letter, strengths, shown=DEGREES, *, metric="rate_of_invariance", **other):
    """A panel as the catalog describes it; an eps panel keeps the family's strength label."""
    defaults = {
        "letter": letter,
        "kind": "profile",
        "x_axis": AXES[other.get("kind", "profile")],
        "title": f"({letter}) MNIST, StdCNN, R",
        "data": "MNIST",
        "network": "StdCNN",
        "family": "R",
        "metric": metric,
        "strengths": tuple(map(float, strengths)),
        "attack_space": "",
        "status": "run",
        "reason": "",
    }
    return DrawnPanel(**defaults | shown | other)


def make_eps_panel(letter, strengths, label, **other):
    kind = {"profile": "pgd", "x_unit": "eps", "strength_label": label}
    return make_panel(letter, strengths, kind, metric="one_minus_fooling_rate", attack_space="pixel", **other)


def make_rows(panel):
    """Plausible tidy rows: falling curves, the stronger the training the flatter."""
    if panel.status == "not run":
        return pd.DataFrame()
    lines = []
    for i, strength in enumerate(panel.strengths):
        x = POINTS[panel.x_unit].astype(float)
        value = np.exp(-(2.5 - 0.35 * i) * np.linspace(0, 1, len(x)) ** 1.5)
        band = {"low": (value - 0.02).clip(0), "high": (value + 0.02).clip(max=1)}
        about = {
            "panel": panel.letter,
            "metric": panel.metric,
            "strength": f"{strength:g}",
            "status": panel.status,
        }
        lines.append(pd.DataFrame({"x": x, "value": value, **band}).assign(**about))
    return pd.concat(lines)


def make_figure(panels, columns, target="fig2", title="CIFAR-10, VGG16"):
    about = {"paper": "tradeoff", "target": target, "kind": "panels", "title": title}
    figure = DrawnFigure(**about, columns=columns, panels=tuple(panels))
    return pd.concat([make_rows(p) for p in panels if p.kind == "profile"] or [pd.DataFrame()]), figure


def two_panels(**other):
    return make_figure(
        [make_panel("a", ROTATIONS, **other), make_eps_panel("b", ROTATIONS, DEGREES["strength_label"])], 2
    )


def sixteen_panels():
    panels = []
    for letters, strengths, kind in (("abcd", ROTATIONS, DEGREES), ("efgh", FRACTIONS, SHIFTS)):
        for i in (0, 2):
            who = {"family": "R" if kind is DEGREES else "T", "network": ("StdCNN", "GCNN")[i // 2]}
            panels.append(make_panel(letters[i], strengths, kind, **who))
            panels.append(make_eps_panel(letters[i + 1], strengths, kind["strength_label"], **who))
    for letters, network in (("ijkl", "StdCNN"), ("mnop", "GCNN")):
        label, who = "trained up to ±i", {"family": "RT", "network": network}
        for letter, kind in zip(letters, (DEGREES, SHIFTS, JOINT), strict=False):
            panels.append(make_panel(letter, FRACTIONS, kind | {"strength_label": label}, **who))
        panels.append(make_eps_panel(letters[3], FRACTIONS, label, **who))
    return make_figure(panels, 4)


def strength_figure():
    lines = [
        DrawnLine(profile="clean", metric="natural_accuracy", label="test"),
        DrawnLine(profile="rotated", metric="spatial_accuracy", label="test, rotated"),
        DrawnLine(profile="pgd", metric="robust_accuracy", label="PGD"),
        DrawnLine(profile="rotated_pgd", metric="robust_accuracy", label="PGD, rotated"),
    ]
    far = [
        DrawnLine(profile="deepfool", metric="mean_l2_distance", label="test"),
        DrawnLine(profile="rotated_deepfool", metric="mean_l2_distance", label="test, rotated"),
    ]
    panels = [
        make_panel(x, ROTATIONS, kind="strength", lines=tuple((lines, far)[i % 2]))
        for i, x in enumerate("abcd")
    ]
    rows = []
    for panel in panels:
        for i, line in enumerate(panel.lines):
            value = (0.98 - 0.2 * i) * np.linspace(1, 0.6, 7) * (5 if len(panel.lines) == 2 else 1)
            data = {
                "strength": ROTATIONS,
                "value": value,
                "low": value * 0.97,
                "high": value * 1.02,
                "status": "run",
            }
            rows.append(
                pd.DataFrame(data).assign(panel=panel.letter, profile=line.profile, metric=line.metric)
            )
    return pd.concat(rows), make_figure(panels, 4, "fig14", "MNIST")[1]


def boundary_figure(radii=(2.0, 1.2)):
    """Margins of two discs round x0: the boundary is a circle, its distance the radius."""
    x, y = np.meshgrid(np.linspace(-3, 3, 61), np.linspace(-3, 3, 61))
    rows = [
        pd.DataFrame(
            {"x": x.ravel(), "y": y.ravel(), "value": r - np.hypot(x, y).ravel(), "strength": strength}
        )
        for r, strength in zip(radii, ("0", "180"), strict=True)
    ]
    panel = make_panel("a", ["0", "180"], kind="boundary", title="MNIST, StdCNN")
    figure = make_figure([panel], 1, "fig13", "")[1]
    return pd.concat(rows).assign(panel="a", status="run", metric="margin"), figure


def panel_axes(figure):
    return [axes for axes in figure.axes if axes.get_title(loc="left") not in ("", PLANE)]


def legend_texts(figure):
    legends = [*figure.legends]
    legends += [
        axes.get_legend() for axes in figure.axes if axes.get_legend() and axes.get_title("left") != PLANE
    ]
    return [t.get_text() for legend in legends for t in legend.get_texts()]


@pytest.mark.parametrize("make", [two_panels, strength_figure, boundary_figure])
def test_redrawing_gives_the_same_bytes(make, tmp_path):
    for name in ("first", "second"):
        style.save(panels.draw(*make()), tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    for suffix in (".pdf", ".png"):
        assert (tmp_path / f"first{suffix}").read_bytes() == (tmp_path / f"second{suffix}").read_bytes()
    assert b"CreationDate" not in (tmp_path / "first.pdf").read_bytes()


# what a matplotlibrc may hold; LaTeX may be missing, and the rest would show
ODD = {"text.usetex": True, "font.family": "serif", "axes.facecolor": "pink", "savefig.bbox": "tight"}
ODD |= {"lines.solid_capstyle": "butt", "mathtext.fontset": "cm", "path.simplify": False, "svg.hashsalt": "x"}


@pytest.mark.parametrize("make", [two_panels, strength_figure, boundary_figure])
def test_a_users_matplotlibrc_reaches_no_byte_and_stays_as_it_was(make, tmp_path):
    style.save(panels.draw(*make()), tmp_path / "plain.pdf", tmp_path / "plain.png")
    with matplotlib.rc_context(ODD):
        before = dict(matplotlib.rcParams)
        style.save(panels.draw(*make()), tmp_path / "odd.pdf", tmp_path / "odd.png")
        assert dict(matplotlib.rcParams) == before
    for suffix in (".pdf", ".png"):
        assert (tmp_path / f"odd{suffix}").read_bytes() == (tmp_path / f"plain{suffix}").read_bytes()


def test_a_panel_has_one_line_and_one_band_a_training_strength():
    for axes in panel_axes(panels.draw(*sixteen_panels())):
        strengths = 7 if axes.get_title(loc="left")[1] in "abcd" else 5
        curves = [line for line in axes.lines if not line.get_label().startswith("_")]
        assert len(curves) == len(axes.collections) == strengths


def test_band_spans_low_to_high():
    rows, figure = two_panels()
    axes = panel_axes(panels.draw(rows, figure))[0]
    own = rows[(rows.panel == "a") & (rows.strength == "0")]
    y = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert y.min() == own.low.min() and y.max() == own.high.max()


def test_curves_are_the_rows_whatever_their_order_and_the_type_of_strength():
    rows, figure = two_panels()
    shuffled = rows.sample(frac=1, random_state=0).assign(strength=lambda r: r.strength.astype(float))
    for axes, again in zip(*(panel_axes(panels.draw(r, figure)) for r in (rows, shuffled)), strict=True):
        for line, other in zip(axes.lines, again.lines, strict=True):
            np.testing.assert_array_equal(line.get_xydata(), other.get_xydata())


def test_panels_not_run_say_so_and_why():
    rows, figure = two_panels(status="not run", reason="needs the CIFAR-10 family")
    first, second = panel_axes(panels.draw(rows, figure))
    (text,) = [t.get_text() for t in first.texts]
    assert text.startswith("not run") and "CIFAR-10" in text
    assert not first.lines and second.lines


def test_a_figure_of_reduced_panels_says_so():
    assert panels.draw(*two_panels(status="reduced")).get_suptitle().endswith("budget]")
    assert "reduced" not in panels.draw(*two_panels()).get_suptitle()


def test_missing_strength_names_figure_panel_and_strength():
    rows, figure = two_panels()
    with pytest.raises(ValueError, match="tradeoff fig2: panel b.*strength 60"):
        panels.draw(rows[(rows.panel == "a") | (rows.strength != "60")], figure)


def test_rows_of_two_runs_on_one_line_are_refused():
    rows, figure = two_panels()
    with pytest.raises(ValueError, match="two values at one x"):
        panels.draw(pd.concat([rows, rows]), figure)


@pytest.mark.parametrize(
    ("strength", "label", "text"),
    [
        (60, "trained ± degrees", "60°"),
        (180.0, "trained ± degrees", "180°"),
        (8 / 255, "trained eps", "8/255"),
        (round(2 / 255, 6), "trained eps", "2/255"),
        (0.2, "trained ± fraction of side", "0.2"),
        (0.3, "trained eps", "0.3"),
        (0, "trained eps", "0"),
    ],
)
def test_strengths_are_printed_in_their_units(strength, label, text):
    assert style.strength_text(strength, label) == text


def test_a_strength_that_is_no_number_is_named():
    with pytest.raises(ValueError, match="'strong' is not a number"):
        number("strong")


def test_legend_stands_once_a_family():
    texts = legend_texts(panels.draw(*two_panels()))
    assert sorted(texts, key=lambda t: int(t[:-1])) == [f"{s}°" for s in ROTATIONS]


def test_budgets_in_255ths_are_labelled_as_such_and_round_ones_linear():
    axes = panel_axes(panels.draw(*two_panels()))[1]
    assert axes.get_xscale() == "symlog" and "log" in axes.get_xlabel() and "255" in axes.get_xlabel()
    (mark,) = [text for text in axes.texts if text.get_text() == "//"]
    assert mark.get_position()[0] == 1 / 255
    labels = axes.get_xticklabels()
    shown = [label.get_text() for label in labels if label.get_text()]
    assert [shown[0], shown[-1]] == ["0", "255"] and len(shown) >= 5
    drawn = [label.get_window_extent() for label in labels if label.get_text()]
    assert all(a.x1 < b.x0 for a, b in pairwise(drawn))
    assert not style.in_255ths([0, 0.05, 0.1, 0.4, 1])


def linear_rgb(colours):
    """[n, 3] of linear light."""
    rgb = np.array([matplotlib.colors.to_rgb(colour) for colour in colours])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(linear):
    """CIE L*a*b* [n, 3] under D65 of linear sRGB [n, 3]."""
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.072175],
        [0.0193339, 0.119192, 0.9503041],
    ]
    t = linear @ np.transpose(to_xyz) / [0.95047, 1, 1.08883]
    x, y, z = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


# Machado, Oliveira, Fernandes 2009: linear light as seen without the green cones
DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
]


def test_lab_of_what_is_known():
    np.testing.assert_allclose(
        lab(linear_rgb(["#ffffff", "#ff0000", "#777777"])),
        [[100, 0, 0], [53.24, 80.09, 67.20], [50.03, 0, 0]],
        atol=0.02,
    )


@pytest.mark.parametrize(("seen", "least"), [(np.eye(3), 20), (DEUTERANOPIA, 15)])
def test_seven_colours_stay_apart_for_every_eye(seen, least):
    colours = lab((linear_rgb(style.palette(7)) @ np.transpose(seen)).clip(0, 1))
    apart = np.linalg.norm(colours[:, None] - colours, axis=2)[np.triu_indices(7, 1)]
    assert apart.min() > least


def test_seven_colours_stay_apart_in_grey():
    assert np.diff(lab(linear_rgb(style.palette(7)))[:, 0]).max() < -8


@pytest.mark.parametrize("n", [2, 3, 5, 7])
def test_palette_darkens_steadily_and_stays_readable_on_white(n):
    rgb = np.array([matplotlib.colors.to_rgb(c) for c in style.palette(n)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0).all()
    assert 1.05 / (luminance[0] + 0.05) >= 3


def test_lines_differ_without_colour():
    assert len({(look["linestyle"], look["marker"]) for look in style.looks(28)}) == 28


def planes(figure):
    """The titles of the planes of a figure of slices, and what is said below them."""
    (axes,) = [axes for axes in figure.axes if axes.child_axes]
    told = " ".join(axes.texts[0].get_text().split())
    return [child.get_title(loc="center") for child in axes.child_axes], told


def test_boundary_distance_is_that_of_the_circle():
    drawn = panels.draw(*boundary_figure())
    titles, told = planes(drawn)
    assert titles == ["2.00 → 1.20"] and "0° → 180°" in told and "falls" not in told
    assert legend_texts(drawn)[:2] == ["0°", "180°"] and "keeps the class" in legend_texts(drawn)[2]


def test_slices_through_several_images_stand_side_by_side_with_the_share_that_comes_nearer():
    rows, figure = boundary_figure()
    other, _ = boundary_figure((1.0, 2.5))
    share = {"panel": ["a"], "status": ["run"], "metric": ["share_nearer"], "value": [0.9], "low": [0.85]}
    share = pd.DataFrame(share | {"high": [0.94], "n": [200]})
    titles, told = planes(
        panels.draw(pd.concat([rows.assign(image=0), other.assign(image=1), share]), figure)
    )
    assert titles == ["2.00 → 1.20", "1.00 → 2.50"] and "falls for 90% [85, 94] of 200 test images" in told


def test_slice_without_a_boundary_says_so():
    assert planes(panels.draw(*boundary_figure((9.0, 1.2))))[0] == ["none → 1.20"]


def test_nearest_point_lies_within_a_segment():
    corner = np.array([[1.0, -5.0], [1.0, 5.0], [4.0, 5.0]])
    np.testing.assert_allclose(boundary_slice.nearest_point([corner + [3, 0], corner]), [1, 0])


def test_accuracies_and_distances_do_not_share_an_axis():
    rows, figure = strength_figure()
    first, second, *others = figure.panels
    first = replace(first, lines=(first.lines[0], second.lines[0]))
    figure = replace(figure, panels=(first, second, *others))
    rows.loc[rows.panel == "b", "panel"] = "a"
    with pytest.raises(ValueError, match="cannot share an axis"):
        panels.draw(rows, figure)


def test_text_is_readable_and_stays_inside_the_figure():
    rows, description = sixteen_panels()
    changes = {"title": "(x) CIFAR-100, WideResNet34, R", "attack_space": "normalized"}
    changed = [replace(p, **changes) if k % 4 == 3 else p for k, p in enumerate(description.panels)]
    description = replace(description, panels=tuple(changed))
    figure = panels.draw(rows, description)
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    for axes in panel_axes(figure):
        labels = [
            axes.title,
            axes.xaxis.label,
            axes.yaxis.label,
            *axes.get_xticklabels(),
            *axes.get_yticklabels(),
        ]
        assert all(t.get_fontsize() >= 7 for t in labels)
        box = axes.get_tightbbox()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height


def test_what_has_not_learnt_is_pale_and_the_legend_says_so():
    rows, figure = two_panels()
    rows = rows.assign(learnt=np.where((rows.strength == "60") & (rows.panel == "a"), "no", "yes"))
    drawn = panels.draw(rows, figure)
    first, second = (axes.get_lines()[: len(ROTATIONS)] for axes in drawn.axes[:2])
    assert [line.get_alpha() for line in first] == [style.PALE if s == "60" else None for s in ROTATIONS]
    assert first[2].get_label() == "60° (not learnt)"
    assert all(line.get_alpha() is None and "learnt" not in line.get_label() for line in second)
    assert "60° (not learnt)" in legend_texts(drawn)


def test_points_of_what_has_not_learnt_are_crossed_out_against_the_strength():
    rows, figure = strength_figure()
    plain = panels.draw(rows, figure)
    drawn = panels.draw(rows.assign(learnt=np.where(rows.strength == "60", "no", "yes")), figure)
    for axes, panel in zip((axes for axes in drawn.axes if axes.get_lines()), figure.panels, strict=True):
        marks = [line for line in axes.get_lines() if line.get_marker() == "x"]
        assert len(marks) == len(panel.lines) and all(len(mark.get_xdata()) == 1 for mark in marks)
    assert not [line for axes in plain.axes for line in axes.get_lines() if line.get_marker() == "x"]


@pytest.mark.parametrize("is_grid", [True, False])
def test_rows_that_were_not_run_are_named_below_the_others(is_grid):
    rows, figure = two_panels() if is_grid else strength_figure()
    assert layout.is_grid(figure) == is_grid
    rest = [replace(panel, letter=panel.letter.upper(), network="other") for panel in figure.panels]
    rest = [replace(panel, status="not run", reason="no GPU") for panel in rest]
    (page,) = panels.draw_pages(rows, replace(figure, panels=(*figure.panels, *rest)))
    drawn = [axes for axes in page.axes if axes.get_title(loc="left").startswith("(")]
    letters = [axes.get_title(loc="left")[:3] for axes in drawn]
    assert letters == [f"({panel.letter})" for panel in figure.panels]
    assert all(axes.get_xlabel() for axes in drawn)
    named = ",\u00a0".join(panel.letter for panel in rest)
    assert f"Not run: ({named}) no GPU" in [text.get_text() for text in page.texts]
    none = [replace(panel, status="not run", reason="no GPU") for panel in figure.panels]
    (page,) = panels.draw_pages(rows, replace(figure, panels=(*none, *rest)))
    assert sum("no GPU" in text.get_text() for axes in page.axes for text in axes.texts) == len(none + rest)


def test_no_figure_is_higher_than_a_page_nor_has_an_axis_outside_it(full_config, demo_config):
    for config in (full_config, demo_config):
        catalog = load(config, ROOT / config["figures"])
        for target in catalog.targets.values():
            if target.is_table or target.kind == "theory":
                continue
            description = captions.figure(catalog, target)
            drawn = description.panels
            if target.kind == "panels" and layout.is_grid(description):
                pages = list(map(layout.layout, layout.pages(description)))
                letters = [cell.panel.letter for places in pages for cell in places.cells]
                assert sorted(letters) == sorted(panel.letter for panel in drawn)
                for places in pages:
                    assert places.height <= style.PAGE, (target.paper, target.name)
                    for left, top, width, height in (cell.box for cell in places.cells):
                        assert left >= 0 and left + width <= layout.WIDTH and height > 0.6
                        assert top >= 0 and top + height <= places.height
                continue
            if target.kind == "panels":
                none = (replace(panel, status="not run", reason="no data") for panel in drawn)
                description = replace(description, panels=tuple(none))
            width, height = panels.draw(
                pd.DataFrame({key: [] for key in EMPTY}), description
            ).get_size_inches()
            assert width <= 7 and height <= style.PAGE, (target.paper, target.name)


def test_a_grid_names_rows_and_columns_once_and_keeps_the_letters():
    drawn = panels.draw(*sixteen_panels())
    assert sorted(axes.get_title(loc="left") for axes in panel_axes(drawn)) == [
        f"({x})" for x in "abcdefghijklmnop"
    ]
    told = " ".join(text.get_text().replace("\n", " ") for text in drawn.texts)
    assert told.count("both together") == told.count("PGD, L-inf") == 1
    assert (
        "rotations (R)" in told and "translations (T)" in told and "rotations and translations (RT)" in told
    )


def test_the_plane_has_a_point_a_member_where_its_rows_say():
    rows, figure = two_panels()
    drawn = panels.draw(rows, figure)
    (axes,) = [axes for axes in drawn.axes if axes.get_title(loc="left") == PLANE]
    x = rows[(rows.panel == "a") & (rows.x == 180)].value
    y = rows[(rows.panel == "b") & np.isclose(rows.x, 2 / 255)].value
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), np.stack([x, y], axis=1))
    points = [line for line in axes.lines if line.get_marker() != "None" and len(line.get_xdata()) == 1]
    assert [line.get_color() for line in points] == style.palette(7)


def test_a_figure_without_a_fooling_rate_has_no_plane():
    drawn = panels.draw(*make_figure([make_panel("a", ROTATIONS)], 1))
    assert all(axes.get_title(loc="left") != PLANE for axes in drawn.axes)


def test_the_plane_takes_the_largest_range_of_the_panels_that_were_run():
    joint = make_panel("a", FRACTIONS, JOINT, status="not run", reason="left out")
    both = [make_panel("b", FRACTIONS, SHIFTS), make_eps_panel("c", FRACTIONS, "trained up to ±i")]
    rows, figure = make_figure([joint, *both], 3)
    (axes,) = [axes for axes in panels.draw(rows, figure).axes if axes.get_title(loc="left") == PLANE]
    x = rows[(rows.panel == "b") & (rows.x == 0.4)].value
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), x)
    assert axes.get_ylabel() == "1 − fooling rate at 2/255 (%)"


def test_a_row_whose_fooling_rate_was_not_run_has_no_plane():
    shown = [make_panel("a", ROTATIONS), make_eps_panel("b", ROTATIONS, "trained up to ±degrees")]
    rows, figure = make_figure([shown[0], replace(shown[1], status="not run", reason="left out")], 2)
    assert all(axes.get_title(loc="left") != PLANE for axes in panels.draw(rows, figure).axes)


def test_the_plane_takes_the_attacked_eps_next_to_a_tenth():
    rows, figure = make_figure([make_panel("a", ROTATIONS), make_eps_panel("b", ROTATIONS, "±degrees")], 2)
    thinned = dict(zip(BUDGETS, (0, 0.15, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1), strict=True))
    rows["x"] = rows["x"].mask(rows.panel == "b", rows["x"].map(thinned))
    (axes,) = [axes for axes in panels.draw(rows, figure).axes if axes.get_title(loc="left") == PLANE]
    assert axes.get_ylabel() == "1 − fooling rate at 0.15 (%)"
    y = rows[(rows.panel == "b") & (rows.x == 0.15)].value
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), y)


def test_the_planes_line_joins_what_has_learnt():
    rows, figure = two_panels()
    drawn = panels.draw(rows.assign(learnt=np.where(rows.strength == "60", "no", "yes")), figure)
    (axes,) = [axes for axes in drawn.axes if axes.get_title(loc="left") == PLANE]
    assert len(axes.lines[0].get_xdata()) == 6 and len(axes.lines) == 8
    flat = (rows.panel == "b") & (rows.x.astype(float) > 7.9 / 255) & (rows.strength != "60")
    rows = rows.assign(value=rows.value.mask(flat, 0.01))
    drawn = panels.draw(rows.assign(learnt=np.where(rows.strength == "60", "no", "yes")), figure)
    assert "beyond: all that learnt meet" in panel_axes(drawn)[1].get_xlabel()


def with_own(names):
    """Two panels with networks over their curves: all in the second, the first lacks the first name."""
    rows, figure = two_panels()
    over = {
        x: [replace(panel, letter=f"{x} {k}", network=name) for k, name in enumerate(names)]
        for x, panel in zip("ab", figure.panels, strict=True)
    }
    pieces = [rows]
    for panel in [*over["a"], *over["b"]]:
        own = rows[(rows.panel == panel.letter[0]) & (rows.strength == "90")]
        pieces.append(own.assign(panel=panel.letter, strength="0", clean_accuracy=0.95))
    panels_ = (
        replace(figure.panels[0], over=tuple(over["a"][1:])),
        replace(figure.panels[1], over=tuple(over["b"])),
    )
    return pd.concat(pieces), replace(figure, panels=panels_)


def test_a_network_over_the_curves_looks_alike_in_all_panels_and_like_no_other():
    names = ["one", "two", "three", "four", "five"]
    drawn = panels.draw(*with_own(names))
    looks = [
        {
            line.get_label(): (line.get_color(), line.get_marker(), str(line._dash_pattern))
            for line in axes.lines
        }
        for axes in panel_axes(drawn)
    ]
    labels = [f"{name} · 95.0%" for name in names]
    assert all(looks[0][label] == looks[1][label] for label in labels[1:])
    assert len({looks[1][label] for label in labels}) == 5


def test_a_network_over_the_curves_has_its_point_in_the_plane():
    rows, figure = with_own(["Without invariance", "A network with a rather long name"])
    drawn = panels.draw(rows, figure)
    (axes,) = [axes for axes in drawn.axes if axes.get_title(loc="left") == PLANE]
    names = [text.get_text().replace("\n", " ") for text in axes.get_legend().get_texts()]
    assert "A network with a rather long name" in names and "Without invariance" not in names
    x = rows[(rows.panel == "a 1") & (rows.x == 180)].value.item()
    y = rows[(rows.panel == "b 1") & np.isclose(rows.x, 2 / 255)].value.item()
    assert axes.lines[-1].get_xydata().tolist() == [[x, y]]
    assert axes.lines[-1].get_color() == style.OVER[0]["color"]  # the first of the first panel
    drawn.draw_without_rendering()
    width = drawn.get_window_extent().width
    assert all(
        text.get_window_extent().x1 <= width for legend in drawn.legends for text in legend.get_texts()
    )


def y_ticks(figure):
    """{(letter): whether its y axis has labels}."""
    figure.draw_without_rendering()
    return {
        axes.get_title(loc="left"): any(
            tick.label1.get_visible() and tick.label1.get_text() for tick in axes.yaxis.get_major_ticks()
        )
        for axes in panel_axes(figure)
    }


def test_the_first_panel_that_was_run_of_each_scale_has_its_y_axis_labelled():
    first, second = make_panel("a", ROTATIONS), make_eps_panel("b", ROTATIONS, "±degrees")
    rows, figure = make_figure([replace(first, status="not run", reason="left out"), second], 2)
    assert y_ticks(panels.draw(rows, figure))["(b)"]
    rows, figure = make_figure([first, second], 2)
    assert y_ticks(panels.draw(rows, figure)) == {"(a)": True, "(b)": False}
    assert layout._y_axes([first, second, first], [0, 1, 2], [False, True, False]) == [True, True, True]


def test_a_line_of_one_member_shows_its_interval():
    rows, figure = strength_figure()
    one = tuple(replace(panel, strengths=(180.0,)) for panel in figure.panels)
    rows = rows[rows.strength == "180"]
    axes = panels.draw(rows, replace(figure, panels=one)).axes[0]
    spans = {
        tuple(path.vertices[:, 1]) for bars in axes.collections for path in bars.get_paths() if len(path) == 2
    }
    own = rows[(rows.panel == "a") & (rows.profile == "clean")]
    assert (own.low.item(), own.high.item()) in spans


def test_the_first_and_last_strength_have_labels_and_the_others_ticks():
    drawn = panels.draw(*strength_figure())
    ticks = drawn.axes[0].xaxis.get_major_ticks()
    assert [tick.get_loc() for tick in ticks] == list(map(float, ROTATIONS))
    texts = [tick.label1.get_text() for tick in ticks]
    assert texts[0] == "0°" and texts[-1] == "180°"


def test_eps_out_of_reach_is_shaded_and_named_and_curves_end_soon_after_it():
    rows, figure = two_panels()
    figure = replace(figure, panels=(figure.panels[0], replace(figure.panels[1], reach=20 / 255)))
    axes = panel_axes(panels.draw(rows, figure))[1]
    (patch,) = axes.patches
    named = [text for text in axes.texts if "out of reach" in text.get_text()]
    assert patch.get_x() == 20 / 255 and named[0].get_visible()
    assert 32 / 255 < axes.get_xlim()[1] < 33 / 255


def test_a_robustness_panel_ends_where_its_curves_have_met():
    rows, figure = two_panels()
    flat = (rows.panel == "b") & (rows.x.astype(float) > 7.9 / 255)
    axes = panel_axes(panels.draw(rows.assign(value=rows.value.mask(flat, 0.01)), figure))[1]
    assert 8 / 255 < axes.get_xlim()[1] < 9 / 255 and "beyond: all meet" in axes.get_xlabel()


def test_a_legend_has_strength_and_clean_accuracy():
    rows, figure = two_panels()
    assert "180° · 91.7%" in legend_texts(panels.draw(rows.assign(clean_accuracy=0.9168), figure))


def test_curves_that_end_apart_are_labelled_at_their_ends():
    both = [make_panel("a", ["0", "90", "180"]), make_panel("b", ["0", "90", "180"], SHIFTS)]
    rows, figure = make_figure(both, 2)
    first, _ = panel_axes(panels.draw(rows, figure))
    assert not first.texts  # they end within a tenth of an inch
    spread = rows.assign(
        value=rows.value * rows.strength.map({"0": 0.4, "90": 0.7, "180": 1}) ** (rows.x > 0)
    )
    lower = spread.assign(value=np.where(spread.x == 180, spread.strength.astype(float) / 200, spread.value))
    first, _ = panel_axes(panels.draw(lower, figure))
    assert [text.get_text() for text in first.texts] == ["0°", "90°", "180°"]


def test_rows_that_fill_no_page_go_on_a_second_with_their_letters_and_names(tmp_path):
    rows, figure = sixteen_panels()
    pages = panels.draw_pages(rows, figure)
    letters = [[axes.get_title(loc="left")[1] for axes in panel_axes(page)] for page in pages]
    assert [sorted(own) for own in letters] == [list("abcdefgh"), list("ijklmnop")]
    assert [page.get_suptitle()[-13:] for page in pages] == ["(page 1 of 2)", "(page 2 of 2)"]
    planes = [[axes for axes in page.axes if axes.get_title(loc="left") == PLANE] for page in pages]
    assert [len(own) for own in planes] == [1, 0]
    assert len(planes[0][0].get_legend().get_texts()) == 6  # of the rows of both pages
    more = style.save(pages, tmp_path / "fig2.pdf", tmp_path / "fig2.png")
    assert more == [tmp_path / "fig2_2.png"] and more[0].exists() and (tmp_path / "fig2.png").exists()
    assert len(panels.draw_pages(*two_panels())) == 1


def test_a_row_says_what_it_has_of_its_own_and_the_plane_names_the_rest_once():
    drawn = panels.draw(*sixteen_panels())
    upright = [text.get_text() for text in drawn.texts if text.get_rotation() == 90]
    (plane,) = [axes for axes in drawn.axes if axes.get_title(loc="left") == PLANE]
    assert len(upright) == 6 and not any("MNIST" in text for text in upright)
    assert plane.get_legend().get_title().get_text().startswith("MNIST, ")
    drawn.draw_without_rendering()
    boxes = [text.get_window_extent() for text in drawn.texts if text.get_rotation() == 90]
    ticks = min(
        label.get_window_extent().x0 for axes in panel_axes(drawn) for label in axes.get_yticklabels()
    )
    assert all(a.y0 > b.y1 for a, b in pairwise(boxes)) and all(box.x1 < ticks for box in boxes)


def test_panels_of_one_axis_keep_it_where_only_one_has_room_for_labels():
    rows, figure = make_figure(
        [make_panel("a", ["0", "180"]), make_panel("b", ["0", "180"], network="GCNN")], 1
    )
    end = (rows.panel == "a") & (rows.x == 180)
    spread = rows.assign(value=rows.value.mask(end, rows.strength.astype(float) / 200))
    first, second = panel_axes(panels.draw(spread, figure))
    assert len(first.texts) == 2 and not second.texts and first.get_xlim() == second.get_xlim()
