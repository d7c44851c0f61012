"""Panels of pictures: one test image under attacks of growing eps (oaat, figure 1)."""

from spatial_adversarial.panels.base import PanelKind, frame
from spatial_adversarial.records.tidy import ImageRow


class ImagesPanel(PanelKind):
    def lines(self, spec, named):
        return [{"profile": spec["profile"], "metric": spec.get("metric")}]

    def bands(self, about):
        return ""

    def rows(self, panel, results):
        """The first attacked image of each point: its class and probability, and its pixels as hexadecimal bytes."""
        (line,), (member,) = panel.lines, panel.members
        profile, seed = line.profiles[member.path], results.seeds(member.path)[0]
        found = results.evaluation(member.path, profile, seed)
        about = frame(panel, results) | results.clean(panel, member)
        about |= {
            "profile": profile.key,
            "x_unit": profile.unit,
            "metric": "probability",
            "n": 1,
            "seed": str(seed),
            "status": results.status(member.path, profile.settings),
            "label": int(found.label[0]),
        }
        for k, x in enumerate(found.x):
            image = found.pictures.images[k, 0]
            seen = {
                "value": float(found.pictures.probability[k, 0]),
                "prediction": int(found.pictures.prediction[k, 0]),
                "shape": " ".join(map(str, image.shape)),
                "pixels": image.tobytes().hex(),
            }
            yield ImageRow(**about, **seen, x=x), results.blank()

    def draw(self, axes, rows, panel):
        from spatial_adversarial.plots.adversarial_images import draw_panel

        return draw_panel(axes, rows, panel)


PANEL = ImagesPanel()
