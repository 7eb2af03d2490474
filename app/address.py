"""What the address of the page says: read before the fields that it sets are drawn, and what is wrong with it named."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import streamlit as st

from a3d.configuration import Configuration, ConfigurationError

KNOWN = {"network", "clip", "unit", "configuration", "budget", "class", "method", "first", "second"}
KNOWN |= {"against", "with", "trade_off", "least", "run", "upload", "film", "view", "configurations", "many"}


def check(name: str, options: Iterable[str], remedy: str = "") -> None:
    """Drop a value that none of the options is, and say so. Before the field that is bound to it is drawn."""
    value = st.query_params.get(name)
    is_new = name not in st.session_state  # what a field holds already was chosen here
    if is_new and value is not None and value not in options:
        refuse(name, remedy or "what is shown instead can be changed on the page")
        del st.query_params[name]


def check_configuration(name: str, options: Iterable[str]) -> None:
    """The same for a field of configurations, which `160x4@0.8` is understood for too."""
    value, options = st.query_params.get(name), list(options)
    if name in st.session_state or value is None or value in options:
        return
    with suppress(ConfigurationError):  # which `check` names
        text = str(Configuration.parse(value))
        if text in options:
            st.session_state[name] = text
            del st.query_params[name]
            return
    check(name, options, "give one that was tested, as in 160x4@0.8")


def configurations(name: str, options: Iterable[str]) -> list[str]:
    """What a parameter as `224x4@1,160x4@0.8` asks for, in the words of the options; what is none of them is named."""
    asked = [_key(text) for text in st.query_params.get(name, "").split(",") if text]
    if wrong := [key for key in asked if key not in options]:
        refuse(name, "give some that were tested, as in 224x4@1,160x4@0.8", ", ".join(wrong))
        del st.query_params[name]
    return [key for key in dict.fromkeys(asked) if key not in wrong]


def _key(text: str) -> str:
    try:
        return Configuration.parse(text).key
    except ConfigurationError:
        return text


def refuse(name: str, why: str, value: str = "") -> None:
    """Keep a complaint about a parameter, until the visitor chooses something. value: the part of it that is wrong."""
    value = value or st.query_params[name]
    _complaints()[name] = f"The address says **{_plain(name)} = {_plain(value)}**, which is not to be had: {why}."


def check_names() -> None:
    """Name parameters that no page of this app knows, once a visit."""
    if not st.session_state.setdefault("arrived", False):
        for name in set(st.query_params) - KNOWN:
            text = f"The address says **{_plain(name)}**, which this app does not know: it was left out."
            _complaints()[name] = text
            del st.query_params[name]
    st.session_state["arrived"] = True


def tell(place) -> None:
    """What was wrong with the address."""
    if _complaints():
        place.warning("  \n".join(_complaints().values()), icon=":material/link_off:")


def forget() -> None:
    """The visitor has chosen something: what the address said is over."""
    _complaints().clear()


def _complaints() -> dict[str, str]:
    return st.session_state.setdefault("complaints", {})


def _plain(text: str) -> str:
    """At most forty characters, none of which Markdown reads."""
    short = text if len(text) <= 40 else text[:39] + "…"
    return "".join("\\" + letter if letter in r"\`*_{}[]()<>#+-.!|~$:" else letter for letter in short)
