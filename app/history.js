// Back goes back a page, not a choice: an address that differs in its parameters alone takes the place of the last one.
if (!window.history.a3d) {
  window.history.a3d = true;
  const push = window.history.pushState.bind(window.history);
  window.history.pushState = (state, title, url) => {
    const { pathname, search } = new URL(url, location.href);
    if (pathname !== location.pathname) push(state, title, url);
    // On its way to another page, Streamlit first clears the parameters of this one, which Back would then miss.
    else if (search) window.history.replaceState(state, title, url);
  };
}
