"""Many visitors at once, by the protocol of browsers: `python -m tests.app.visitors --visitors 20 --minutes 10`.

Each uploads files, good and bad ones, and picks configurations, and knows what the library answers: what the page shows
has to be that, about its own file, whatever the others do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from a3d.inference.checkpoint import load
from a3d.maps import explain
from a3d.synthetic import ACTIONS, render, write
from a3d.trained import TrainedNetwork

from .browsing import server
from .memory import resident

XSRF = "_streamlit_xsrf"
PATIENCE = 300.0  # seconds that a page may take: against hanging, not a claim


@dataclass
class Tally:
    """What happened to all visitors. seconds: of each page. wrong: a line for everything that should not be."""

    seconds: list[float] = field(default_factory=list)
    answers: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


class Visitor:
    """One session: sends what a browser would, and keeps the elements of the page that it got."""

    def __init__(self, socket, http: httpx.AsyncClient, address: str) -> None:
        self.socket, self.http, self.address = socket, http, address
        self.session, self.elements, self.states, self.texts = "", {}, {}, []

    async def run(self, page: str = "") -> None:
        """Run the page with what was set, until it is at rest."""
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = ""
        for key, (name, value) in self.states.items():
            state = message.rerun_script.widget_states.widgets.add(id=key)
            getattr(state, name).CopyFrom(value) if name.startswith("file") else setattr(state, name, value)
        await self.socket.send(message.SerializeToString())
        await self.until_finished()

    async def until_finished(self) -> None:
        self.elements, self.texts = {}, []
        async with asyncio.timeout(PATIENCE):
            while True:
                message = ForwardMsg.FromString(await self.socket.recv())
                kind = message.WhichOneof("type")
                if kind == "new_session":
                    self.session = message.new_session.initialize.session_id
                    self.elements, self.texts = {}, []
                elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                    self._take(message.delta.new_element)
                elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    return

    def _take(self, element) -> None:
        kind = element.WhichOneof("type")
        if kind in ("alert", "exception"):
            shown = element.alert.body if kind == "alert" else f"exception {element.exception.message}"
            self.texts.append(shown)
        found = getattr(element, kind)
        self.elements.setdefault(kind, []).append(found)

    def stage(self) -> dict:
        return json.loads(self.elements["bidi_component"][-1].json)

    async def pick(self, configuration: str) -> None:
        field_ = next(one for one in self.elements["selectbox"] if one.label == "Configuration")
        self.states[field_.id] = ("string_value", configuration)
        await self.run()
        del self.states[field_.id]

    async def upload(self, name: str, data: bytes) -> None:
        """As the browser does: ask where to, put it there, say that it is there."""
        uploader = self.elements["file_uploader"][0]
        message = BackMsg()
        message.file_urls_request.session_id = self.session
        message.file_urls_request.file_names.append(name)
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = ForwardMsg.FromString(await self.socket.recv())
                if answer.WhichOneof("type") == "file_urls_response":
                    break
        urls = answer.file_urls_response.file_urls[0]
        reply = await self.http.put(
            f"{self.address}{urls.upload_url}",
            files={"file": (name, data)},
            headers={"X-Xsrftoken": self.http.cookies.get(XSRF, "")},
            timeout=PATIENCE,
        )
        reply.raise_for_status()
        state = BackMsg().rerun_script.widget_states.widgets.add().file_uploader_state_value
        state.uploaded_file_info.add(name=name, size=len(data), file_id=urls.file_id, file_urls=urls)
        self.states[uploader.id] = ("file_uploader_state_value", state)
        await self.run()
        del self.states[uploader.id]


async def visit(address: str, number: int, until: float, network: TrainedNetwork, files: Files, tally: Tally) -> None:
    """One visitor until the time is over."""
    draw = random.Random(number)
    async with httpx.AsyncClient() as http:
        await http.get(f"{address}/_stcore/health")
        token = http.cookies.get(XSRF, "")
        headers = {"Cookie": f"{XSRF}={token}"}
        url = address.replace("http", "ws") + "/_stcore/stream"
        async with connect(
            url, additional_headers=headers, subprotocols=["streamlit", token or "none"], max_size=None
        ) as socket:
            visitor = Visitor(socket, http, address)
            await visitor.run()
            mine = None
            while time.monotonic() < until:
                started = time.monotonic()
                what = draw.random()
                if mine is None or what < 0.3:
                    mine = draw.choice(sorted(files.good))
                    await visitor.upload(f"{number}-{mine}", files.good[mine].read_bytes())
                elif what < 0.5:
                    bad = draw.choice(sorted(files.bad))
                    await visitor.upload(f"{number}-{bad}", files.bad[bad])
                    tally.refused += 1
                    if not any(f"{number}-{bad}" in text for text in visitor.texts):
                        tally.wrong.append(f"{bad} of {number} was not refused by its name: {visitor.texts}")
                    if "bidi_component" in visitor.elements and visitor.stage()["clip"] is not None:
                        tally.wrong.append(f"an answer stands beside the refused {bad} of {number}")
                    mine = None
                else:
                    row = draw.choice(network.table.rows)
                    await visitor.pick(str(row.configuration))
                tally.seconds.append(time.monotonic() - started)
                tally.wrong += [text for text in visitor.texts if text.startswith("exception")]
                if mine is not None:
                    _compare(visitor, number, mine, network, files, tally)


def _compare(visitor: Visitor, number: int, mine: str, network: TrainedNetwork, files: Files, tally: Tally) -> None:
    """The page is about the visitor's own file, and says what the library says."""
    data = visitor.stage()
    clip = data["clip"]
    if clip is None or clip["name"] != f"{number}-{mine}":
        tally.wrong.append(f"{number} looks at {clip and clip['name']} in place of {number}-{mine}: {visitor.texts}")
        return
    found = np.array(clip["findings"][data["choice"]]["probabilities"])
    tally.answers += 1
    if np.abs(found - files.answer(mine, data["choice"], network)).max() > 1e-4:
        tally.wrong.append(f"{number}-{mine} at {data['choice']}: other probabilities than the library's")


class Files:
    """Good and bad files to upload, and what the library answers about the good ones."""

    def __init__(self, folder: Path) -> None:
        self.good = {
            f"{action}.mp4": write(render(action, 1, seconds=1.5, size=(160, 120)), folder / f"{action}.mp4")
            for action in ACTIONS[:6]
        }
        whole = next(iter(self.good.values())).read_bytes()
        Image.new("P", (12_000, 8_000)).save(folder / "bomb.gif")  # small until it is read
        self.bad = {
            "noise.mp4": random.Random(0).randbytes(100_000),
            "head.mp4": whole[:600],
            "list.m3u8": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
            "empty.mp4": b"",
            "bomb.gif": (folder / "bomb.gif").read_bytes(),
        }
        self.known: dict[tuple[str, str], np.ndarray] = {}

    def answer(self, name: str, key: str, network: TrainedNetwork) -> np.ndarray:
        if (name, key) not in self.known:
            row = next(row for row in network.table.rows if row.configuration.key == key)
            self.known[name, key] = explain(self.good[name], network, configuration=row.configuration).probabilities
        return self.known[name, key]


async def _all(address: str, visitors: int, seconds: float, network: TrainedNetwork, files: Files) -> Tally:
    tally, until = Tally(), time.monotonic() + seconds
    await asyncio.gather(*(visit(address, number, until, network, files, tally) for number in range(visitors)))
    return tally


def many(checkpoint: Path, visitors: int, seconds: float) -> tuple[Tally, list[float]]:
    """Serve a checkpoint to so many visitors; what happened, and megabytes of the server before and after."""
    network = load(checkpoint)
    with tempfile.TemporaryDirectory() as folder, server(A3D_CHECKPOINTS=checkpoint.parent) as (address, process):
        files, before = Files(Path(folder)), resident(process.pid)
        tally = asyncio.run(_all(address, visitors, seconds, network, files))
        return tally, [before, resident(process.pid)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoints/exercise12"))
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    tally, memory = many(options.checkpoint, options.visitors, 60 * options.minutes)
    low, middle, high = statistics.quantiles(tally.seconds, n=4)
    print(f"{len(tally.seconds)} pages, {tally.answers} answers compared, {tally.refused} bad files; a page takes")
    print(f"{middle:.1f} s ({low:.1f} to {high:.1f}), the slowest {max(tally.seconds):.1f} s; server {memory} MB")
    print(f"{len(tally.wrong)} wrong", *sorted(set(tally.wrong))[:20], sep="\n")


if __name__ == "__main__":
    main()
