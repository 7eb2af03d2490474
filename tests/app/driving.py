"""What tests of the app read off a page, and how they upload."""

import json
from base64 import b64decode
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from a3d.configuration import Configuration

MAIN = Path(__file__).parents[2] / "app" / "main.py"
LIMIT = 300  # seconds a run may take: against hanging, not a claim


def opened(**address: str) -> AppTest:
    """The app at an address, not run yet."""
    app = AppTest.from_file(str(MAIN), default_timeout=LIMIT)
    app.query_params.update(address)
    return app


def page(app: AppTest, name: str) -> AppTest:
    app.run()
    return app.switch_page(f"views/{name}.py").run()


def healthy(app: AppTest) -> bool:
    return not app.exception and not app.error


def numbers(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def stage(app: AppTest) -> dict:
    """What the stage was sent."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def pick(app: AppTest, configuration: Configuration) -> AppTest:
    app.selectbox(key="pick").set_value(str(configuration))
    return app.run()


def charts(app: AppTest) -> dict[str, dict]:
    """The figures on the page by their keys."""
    return {chart.proto.id.rpartition("-")[2]: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}


def traces(app: AppTest, key: str) -> dict[str, dict]:
    """The traces of a figure by their names."""
    return {trace.get("name"): trace for trace in charts(app)[key]["data"]}


def values(packed) -> np.ndarray:
    """A list as it is, or Plotly's packed array."""
    if isinstance(packed, dict):
        return np.frombuffer(b64decode(packed["bdata"]), packed["dtype"])
    return np.array(packed, dtype=float)


def upload(app: AppTest, path: Path) -> AppTest:
    app.file_uploader[0].set_value((path.name, path.read_bytes(), "video/mp4"))
    return app.run()


def unpacked(text: str, shape: tuple[int, ...]) -> np.ndarray:
    """The float32 numbers that the stage is sent."""
    return np.frombuffer(b64decode(text), np.float32).reshape(shape)


def dial(app: AppTest, key: str = "budget_gflops"):
    return app.select_slider(key=key)
