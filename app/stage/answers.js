// What both networks answer, as bars; a click on a class explains it.

const AT_FIRST = 4; // classes that are most probable to the full network
const percent = (share) => (share > 0 && share < 0.01 ? "<1%" : `${Math.round(100 * share)}%`);

/** Text with **bold** parts, as nodes: nothing of it is read as HTML. */
function written(element, text) {
  const parts = text.split("**").map((part, i) => {
    if (i % 2 === 0) return part;
    const strong = document.createElement("strong");
    strong.textContent = part;
    return strong;
  });
  element.replaceChildren(...parts);
}

class Answers {
  constructor(root, onExplain) {
    this.section = root.querySelector(".answers");
    this.bars = root.querySelector(".bars");
    this.onExplain = onExplain;
  }

  /** labels: class names as words, with maps or not; shown: { full, sub, label }, label a place among `mapped`. */
  show({ labels, mapped, full, sub, label }) {
    written(this.section.querySelector(".verdict"), sub?.verdict ?? "Working on it …");
    const rows = this.classes(full, sub, mapped[label]).map((index) => this.row(index, labels, mapped, full, sub, label));
    if (full.none !== null) rows.push(this.bar("None of these", full.none, sub?.none));
    const focused = this.bars.getRootNode().activeElement?.dataset.index;
    this.bars.replaceChildren(...rows);
    if (focused) this.bars.querySelector(`[data-index="${focused}"]`)?.focus();
    written(this.section.querySelector(".evidence"), sub?.evidence[label] ?? "");
  }

  classes(full, sub, explained) {
    const order = full.probabilities.map((_, i) => i).sort((a, b) => full.probabilities[b] - full.probabilities[a]);
    const best = sub ? sub.probabilities.indexOf(Math.max(...sub.probabilities)) : explained;
    return [...new Set([...order.slice(0, AT_FIRST), best, explained, ...order])].slice(0, AT_FIRST + 2);
  }

  row(index, labels, mapped, full, sub, label) {
    const name = labels[index];
    const item = this.bar(name, full.probabilities[index], sub?.probabilities[index]);
    const place = mapped.indexOf(index);
    if (place < 0) return item;
    const button = item.firstChild;
    button.dataset.index = index;
    button.setAttribute("aria-pressed", place === label);
    button.addEventListener("click", () => this.onExplain(place));
    return item;
  }

  bar(name, full, sub) {
    const item = document.createElement("li");
    const button = item.appendChild(document.createElement("button"));
    button.type = "button";
    button.setAttribute("aria-label", `${name}: full network ${percent(full)}, sub-network ${sub === undefined ? "not known yet" : percent(sub)}`);
    button.append(span("class", name));
    for (const [who, value] of [["full", full], ["sub", sub]]) {
      const track = button.appendChild(span(`track ${who}`, ""));
      track.style.setProperty("--share", value ?? 0);
      button.append(span("number", value === undefined ? "…" : percent(value)));
    }
    return item;
  }
}

function span(name, content) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = content;
  return element;
}
