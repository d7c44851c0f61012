"""Figures from synthetic rows: what is drawn, how it is labelled, and the same bytes each time."""

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest

from spatial_adversarial import plots
from spatial_adversarial.plots import boundary, style

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
        "panel": letter,
        "kind": "profile",
        "title": f"({letter}) MNIST, StdCNN, R",
        "metric": metric,
        "strengths": strengths,
        "attack_space": "",
        "status": "run",
        "reason": "",
    }
    return defaults | shown | other


def make_eps_panel(letter, strengths, label, **other):
    kind = {"profile": "pgd", "x_unit": "eps", "strength_label": label}
    return make_panel(letter, strengths, kind, metric="one_minus_fooling_rate", attack_space="pixel", **other)


def make_rows(panel):
    """Plausible tidy rows: falling curves, the stronger the training the flatter."""
    if panel["status"] == "not run":
        return pd.DataFrame()
    lines = []
    for i, strength in enumerate(panel["strengths"]):
        x = POINTS[panel["x_unit"]].astype(float)
        value = np.exp(-(2.5 - 0.35 * i) * np.linspace(0, 1, len(x)) ** 1.5)
        band = {"low": (value - 0.02).clip(0), "high": (value + 0.02).clip(max=1)}
        about = {
            "panel": panel["panel"],
            "metric": panel["metric"],
            "strength": strength,
            "status": panel["status"],
        }
        lines.append(pd.DataFrame({"x": x, "value": value, **band}).assign(**about))
    return pd.concat(lines)


def make_figure(panels, columns, target="fig2", title="CIFAR-10, VGG16"):
    figure = {"paper": "tradeoff", "target": target, "title": title, "columns": columns, "panels": panels}
    return pd.concat([make_rows(p) for p in panels if p["kind"] == "profile"] or [pd.DataFrame()]), figure


def two_panels(**other):
    return make_figure(
        [make_panel("a", ROTATIONS, **other), make_eps_panel("b", ROTATIONS, DEGREES["strength_label"])], 2
    )


def sixteen_panels():
    panels = []
    for letters, strengths, kind in (("abcd", ROTATIONS, DEGREES), ("efgh", FRACTIONS, SHIFTS)):
        for i in (0, 2):
            panels.append(make_panel(letters[i], strengths, kind))
            panels.append(make_eps_panel(letters[i + 1], strengths, kind["strength_label"]))
    for letters in ("ijkl", "mnop"):
        label = "trained up to ±i"
        for letter, kind in zip(letters, (DEGREES, SHIFTS, JOINT), strict=False):
            panels.append(make_panel(letter, FRACTIONS, kind | {"strength_label": label}))
        panels.append(make_eps_panel(letters[3], FRACTIONS, label))
    return make_figure(panels, 4)


def strength_figure():
    lines = [
        {"profile": "clean", "metric": "natural_accuracy", "label": "test"},
        {"profile": "rotated", "metric": "spatial_accuracy", "label": "test, rotated"},
        {"profile": "pgd", "metric": "robust_accuracy", "label": "PGD"},
        {"profile": "rotated_pgd", "metric": "robust_accuracy", "label": "PGD, rotated"},
    ]
    far = [
        {"profile": "deepfool", "metric": "mean_l2_distance", "label": "test"},
        {"profile": "rotated_deepfool", "metric": "mean_l2_distance", "label": "test, rotated"},
    ]
    panels = [
        make_panel(x, ROTATIONS, kind="strength", lines=(lines, far)[i % 2]) for i, x in enumerate("abcd")
    ]
    rows = []
    for panel in panels:
        for i, line in enumerate(panel["lines"]):
            value = (0.98 - 0.2 * i) * np.linspace(1, 0.6, 7) * (5 if len(panel["lines"]) == 2 else 1)
            data = {
                "strength": ROTATIONS,
                "value": value,
                "low": value * 0.97,
                "high": value * 1.02,
                "status": "run",
            }
            rows.append(pd.DataFrame(data).assign(panel=panel["panel"], **line))
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
    figure = {"paper": "tradeoff", "target": "fig13", "title": "", "columns": 1, "panels": [panel]}
    return pd.concat(rows).assign(panel="a", status="run"), figure


def panel_axes(figure):
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


def legend_texts(figure):
    return [t.get_text() for axes in figure.axes if axes.get_legend() for t in axes.get_legend().get_texts()]


@pytest.mark.parametrize("make", [two_panels, strength_figure, boundary_figure])
def test_redrawing_gives_the_same_bytes(make, tmp_path):
    for name in ("first", "second"):
        style.save(plots.draw(*make()), tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    for suffix in (".pdf", ".png"):
        assert (tmp_path / f"first{suffix}").read_bytes() == (tmp_path / f"second{suffix}").read_bytes()
    assert b"CreationDate" not in (tmp_path / "first.pdf").read_bytes()


# what a matplotlibrc may hold; LaTeX may be missing, and the rest would show
ODD = {"text.usetex": True, "font.family": "serif", "axes.facecolor": "pink", "savefig.bbox": "tight"}
ODD |= {"lines.solid_capstyle": "butt", "mathtext.fontset": "cm", "path.simplify": False, "svg.hashsalt": "x"}


@pytest.mark.parametrize("make", [two_panels, strength_figure, boundary_figure])
def test_a_users_matplotlibrc_reaches_no_byte_and_stays_as_it_was(make, tmp_path):
    style.save(plots.draw(*make()), tmp_path / "plain.pdf", tmp_path / "plain.png")
    with matplotlib.rc_context(ODD):
        before = dict(matplotlib.rcParams)
        style.save(plots.draw(*make()), tmp_path / "odd.pdf", tmp_path / "odd.png")
        assert dict(matplotlib.rcParams) == before
    for suffix in (".pdf", ".png"):
        assert (tmp_path / f"odd{suffix}").read_bytes() == (tmp_path / f"plain{suffix}").read_bytes()


def test_a_panel_has_one_line_and_one_band_a_training_strength():
    for axes in panel_axes(plots.draw(*sixteen_panels())):
        strengths = 7 if axes.get_title(loc="left")[1] in "abcd" else 5
        assert len(axes.lines) == len(axes.collections) == strengths


def test_band_spans_low_to_high():
    rows, figure = two_panels()
    axes = panel_axes(plots.draw(rows, figure))[0]
    own = rows[(rows.panel == "a") & (rows.strength == "0")]
    y = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert y.min() == own.low.min() and y.max() == own.high.max()


def test_curves_are_the_rows_whatever_their_order_and_the_type_of_strength():
    rows, figure = two_panels()
    shuffled = rows.sample(frac=1, random_state=0).assign(strength=lambda r: r.strength.astype(float))
    for axes, again in zip(*(panel_axes(plots.draw(r, figure)) for r in (rows, shuffled)), strict=True):
        for line, other in zip(axes.lines, again.lines, strict=True):
            np.testing.assert_array_equal(line.get_xydata(), other.get_xydata())


def test_panels_not_run_say_so_and_why():
    rows, figure = two_panels(status="not run", reason="needs the CIFAR-10 family")
    first, second = panel_axes(plots.draw(rows, figure))
    (text,) = [t.get_text() for t in first.texts]
    assert text.startswith("not run") and "CIFAR-10" in text
    assert not first.lines and not second.texts


def test_a_figure_of_reduced_panels_says_so():
    assert plots.draw(*two_panels(status="reduced")).get_suptitle().endswith("budget]")
    assert "reduced" not in plots.draw(*two_panels()).get_suptitle()


def test_missing_strength_names_figure_panel_and_strength():
    rows, figure = two_panels()
    with pytest.raises(ValueError, match="tradeoff fig2: panel b.*strength 60"):
        plots.draw(rows[(rows.panel == "a") | (rows.strength != "60")], figure)


def test_rows_of_two_runs_on_one_line_are_refused():
    rows, figure = two_panels()
    with pytest.raises(ValueError, match="two values at one x"):
        plots.draw(pd.concat([rows, rows]), figure)


@pytest.mark.parametrize(
    ("strength", "label", "text"),
    [
        ("60", "trained ± degrees", "60°"),
        (180.0, "trained ± degrees", "180°"),
        ("8/255", "trained eps", "8/255"),
        (8 / 255, "trained eps", "8/255"),
        (round(2 / 255, 6), "trained eps", "2/255"),
        ("0.2", "trained ± fraction of side", "0.2"),
        (0.3, "trained eps", "0.3"),
        ("0", "trained eps", "0"),
    ],
)
def test_strengths_are_printed_in_their_units(strength, label, text):
    assert style.strength_text(strength, label) == text


def test_a_strength_that_is_no_number_is_named():
    with pytest.raises(ValueError, match="'strong' is not a number"):
        style.number("strong")


def test_legend_stands_once_a_family():
    texts = legend_texts(plots.draw(*two_panels()))
    assert sorted(texts, key=lambda t: int(t[:-1])) == [f"{s}°" for s in ROTATIONS]
    assert len(legend_texts(plots.draw(*sixteen_panels()))) == 7 + 5 + 5


def test_budgets_in_255ths_are_labelled_as_such_and_round_ones_linear():
    axes = panel_axes(plots.draw(*two_panels()))[1]
    assert axes.get_xscale() == "symlog" and "255" in axes.get_xlabel()
    ticks = [axes.xaxis.get_major_formatter()(x) for x in axes.get_xticks()]
    assert ticks == ["0", "2", "8", "32", "255"]
    assert not style.in_255ths([0, 0.05, 0.1, 0.4, 1])


@pytest.mark.parametrize("n", [2, 3, 5, 7])
def test_palette_darkens_steadily_and_stays_readable_on_white(n):
    rgb = np.array([matplotlib.colors.to_rgb(c) for c in style.palette(n)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0).all()
    assert 1.05 / (luminance[0] + 0.05) >= 3


def test_lines_differ_without_colour():
    assert len({(look["linestyle"], look["marker"]) for look in style.looks(28)}) == 28


def test_boundary_distance_is_that_of_the_circle():
    figure = plots.draw(*boundary_figure())
    assert [text.split()[-1] for text in legend_texts(figure)] == ["2.00", "1.20"]


def test_slice_without_a_boundary_says_so():
    assert "no boundary in the slice" in legend_texts(plots.draw(*boundary_figure((9.0, 1.2))))[0]


def test_nearest_point_lies_within_a_segment():
    corner = np.array([[1.0, -5.0], [1.0, 5.0], [4.0, 5.0]])
    np.testing.assert_allclose(boundary.nearest_point([corner + [3, 0], corner]), [1, 0])


def test_accuracies_and_distances_do_not_share_an_axis():
    rows, figure = strength_figure()
    figure["panels"][0]["lines"] = figure["panels"][0]["lines"][:1] + figure["panels"][1]["lines"][:1]
    rows.loc[rows.panel == "b", "panel"] = "a"
    with pytest.raises(ValueError, match="cannot share an axis"):
        plots.draw(rows, figure)


def test_text_is_readable_and_stays_inside_the_figure():
    rows, description = sixteen_panels()
    for panel in description["panels"][3::4]:
        panel |= {"title": "(x) CIFAR-100, WideResNet34, R", "attack_space": "normalized"}
    figure = plots.draw(rows, description)
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
    drawn = plots.draw(rows, figure)
    first, second = (axes.get_lines()[: len(ROTATIONS)] for axes in drawn.axes[:2])
    assert [line.get_alpha() for line in first] == [style.PALE if s == "60" else None for s in ROTATIONS]
    assert first[2].get_label() == "60° (not learnt)"
    assert all(line.get_alpha() is None and "learnt" not in line.get_label() for line in second)
    texts = [
        text.get_text() for axes in drawn.axes if axes.get_legend() for text in axes.get_legend().get_texts()
    ]
    texts += [text.get_text() for legend in drawn.legends for text in legend.get_texts()]
    assert "60° (not learnt)" in texts


def test_points_of_what_has_not_learnt_are_crossed_out_against_the_strength():
    rows, figure = strength_figure()
    plain = plots.draw(rows, figure)
    drawn = plots.draw(rows.assign(learnt=np.where(rows.strength == "60", "no", "yes")), figure)
    for axes, panel in zip((axes for axes in drawn.axes if axes.get_lines()), figure["panels"], strict=True):
        marks = [line for line in axes.get_lines() if line.get_marker() == "x"]
        assert len(marks) == len(panel["lines"]) and all(len(mark.get_xdata()) == 1 for mark in marks)
    assert not [line for axes in plain.axes for line in axes.get_lines() if line.get_marker() == "x"]
