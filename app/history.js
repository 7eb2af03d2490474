// Back goes back a page, not a choice: an address that differs in its parameters alone takes the place of the last one.
if (!window.history.a3d) {
  window.history.a3d = true;
  const push = window.history.pushState.bind(window.history);
  let waiting;
  window.history.pushState = (state, title, url) => {
    const { pathname, searchParams } = new URL(url, location.href);
    clearTimeout(waiting);
    if (pathname !== location.pathname) push(state, title, url);
    else {
      // On its way to another page, Streamlit first clears the parameters of this one, which Back would then miss.
      const isLess = [...new URLSearchParams(location.search).keys()].some((name) => !searchParams.has(name));
      const replace = () => window.history.replaceState(state, title, url);
      if (isLess) waiting = setTimeout(replace, 500);
      else replace();
    }
  };
}
