"""What a visitor gave, kept for an hour under a name that nobody guesses: a page that is loaded anew finds it again."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import address
import streamlit as st

SECONDS = 3600.0
MOST = 8  # of all visitors: an upload takes some 25 MB of memory, a film and many clips their files

_lock = threading.Lock()
now: Callable[[], float] = time.monotonic


@st.cache_resource(show_spinner=False)
def _kept() -> dict[str, tuple[float, Any]]:
    """By name: when it came, and what it is; the oldest first."""
    return {}


def keep(name: str, thing: Any) -> None:
    """Make something the visitor's. name: of the parameter of the address that will find it again."""
    token = secrets.token_urlsafe(16)
    with _lock:
        kept = _kept()
        _drop(kept)
        while len(kept) >= MOST:
            del kept[next(iter(kept))]
        kept[token] = now(), thing
    st.session_state[name], st.session_state[f"{name}_token"] = thing, token


def kept(name: str, kind: type) -> Any | None:
    """What the visitor gave, or what the address names; None if there is neither."""
    token = st.query_params.get(name)
    if name not in st.session_state and token is not None:
        with _lock:
            _drop(_kept())
            thing = _kept().get(token, (0.0, None))[1]
        if isinstance(thing, kind):
            st.session_state[name], st.session_state[f"{name}_token"] = thing, token
        else:
            address.refuse(name, "a video is kept for an hour at most; give it again")
            del st.query_params[name]
    return st.session_state.get(name)


def show(name: str, shown: bool = True) -> None:
    """Put what is kept into the address, or take it out where the page shows something else."""
    if shown:
        st.query_params[name] = st.session_state[f"{name}_token"]
    elif name in st.query_params:
        del st.query_params[name]


def drop(name: str) -> None:
    """Forget what the visitor gave, before its hour is over."""
    show(name, False)
    with _lock:
        _kept().pop(st.session_state.pop(f"{name}_token", ""), None)
    st.session_state.pop(name, None)


def _drop(kept: dict[str, tuple[float, Any]]) -> None:
    for token in [token for token, (then, _) in kept.items() if now() - then > SECONDS]:
        del kept[token]
