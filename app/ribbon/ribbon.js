// A film as a ribbon of answers: two networks above each other, thumbnails, and a cursor that can be dragged anywhere.

const UNSURE = 0.5; // of less, a class is no answer
const NONE = "None of these";
const COLOURS = [
  "#88ccee", "#ddcc77", "#cc99bb", "#99cc88", "#ee8866", "#aabbee",
  "#77ccbb", "#eebbcc", "#bbaa66", "#c8c0a8", "#ffaabb", "#ccdd99",
];
const GREY = "#9aa5a8";
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]; // seconds between two numbers of the scale
const WIDE = 70; // pixels that a number of the scale has at least

const percent = (share) => `${Math.round(100 * share)}%`;

function clock(seconds) {
  const whole = Math.floor(seconds + 1e-6);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function made(parent, name, className, text = "") {
  const element = parent.appendChild(document.createElement(name));
  element.className = className;
  element.textContent = text;
  return element;
}

class Ribbon {
  constructor(root) {
    this.root = root;
    this.time = root.querySelector(".time");
    this.input = root.querySelector(".time input");
    this.strip = root.querySelector(".strip");
    this.bands = { full: root.querySelector(".band.full"), sub: root.querySelector(".band.sub") };
    this.input.addEventListener("input", () => this.go(Number(this.input.value)));
    root.querySelector(".look").addEventListener("click", () => this.send("looked", this.middle(this.at)));
    new ResizeObserver(() => this.data && this.draw()).observe(this.time);
  }

  /** New data of the server: another film or choice, or more of the same. */
  update(data, send) {
    this.send = send;
    if (data.about !== this.data?.about) [this.pictures, this.at] = [{}, 0];
    this.data = data;
    for (const [i, picture] of Object.entries(data.pictures)) this.pictures[i] ??= `data:image/jpeg;base64,${picture}`;
    this.input.max = Math.max(0, data.edges.length - 2);
    this.draw();
  }

  middle(i) {
    return (this.data.edges[i] + this.data.edges[i + 1]) / 2;
  }

  draw() {
    this.drawStrip();
    for (const who of ["full", "sub"]) this.drawBand(this.bands[who], this.data[who]);
    this.drawScale();
    this.drawLegend();
    this.go(Math.min(this.at, this.data.edges.length - 2));
  }

  go(i) {
    if (i < 0) return;
    this.at = i;
    this.input.value = i;
    this.time.style.setProperty("--now", this.middle(i) / this.data.duration);
    const when = `${clock(this.data.edges[i])} to ${clock(this.data.edges[i + 1])}`;
    this.root.querySelector(".when").textContent = when;
    const said = ["full", "sub"].map((who) => this.said(this.data[who][i]));
    for (const [k, who] of ["full", "sub"].entries()) this.root.querySelector(`.says .${who} .what`).textContent = said[k];
    this.input.setAttribute("aria-valuetext", `${when}. Full network: ${said[0]}. Sub-network: ${said[1]}`);
    const shown = this.root.querySelector(".now img");
    const picture = this.nearest(i);
    if (picture) shown.src = picture;
    shown.alt = picture ? `The film at ${clock(this.middle(i))}` : "";
  }

  said([label, probability, none]) {
    if (none !== null && none >= UNSURE) return `${NONE}, ${percent(none)}`;
    const name = `${this.data.labels[label]}, ${percent(probability)}`;
    return probability < UNSURE ? `unsure; ${name}` : name;
  }

  nearest(i) {
    const known = Object.keys(this.pictures).map(Number);
    const best = known.reduce((a, b) => (Math.abs(b - i) < Math.abs(a - i) ? b : a), known[0]);
    return this.pictures[best];
  }

  /** As many thumbnails as fit beside each other, each from the moment that it stands at. */
  drawStrip() {
    this.strip.replaceChildren();
    const { width, height } = this.strip.getBoundingClientRect();
    const broad = height * this.data.ratio;
    const end = this.data.edges.at(-1) / this.data.duration;
    for (let x = 0; x < width * end && broad > 0; x += broad) {
      const time = ((x + broad / 2) / width) * this.data.duration;
      const picture = this.nearest(this.data.edges.findLastIndex((edge) => edge <= time));
      if (!picture) return;
      const image = made(this.strip, "img", "");
      image.src = picture;
      image.style.left = `${x}px`;
    }
  }

  /** Neighbours of one answer are one part. */
  drawBand(band, answers) {
    band.replaceChildren();
    const { edges, duration, labels } = this.data;
    for (let from = 0, i = 1; i <= answers.length; i++) {
      const [one, next] = [this.kind(answers[from]), i < answers.length ? this.kind(answers[i]) : null];
      if (next && one.label === next.label && one.unsure === next.unsure) continue;
      const name = one.label < 0 ? NONE : labels[one.label];
      const part = made(band, "span", one.unsure ? "part unsure" : "part", one.unsure ? `${name}?` : name);
      part.style.left = `${(100 * edges[from]) / duration}%`;
      part.style.width = `${(100 * (edges[i] - edges[from])) / duration}%`;
      part.style.setProperty("--class", this.colour(one.label));
      from = i;
    }
  }

  kind([label, probability, none]) {
    if (none !== null && none >= UNSURE) return { label: -1, unsure: false };
    return { label, unsure: probability < UNSURE };
  }

  colour(label) {
    return label < 0 ? GREY : COLOURS[label % COLOURS.length];
  }

  drawScale() {
    const scale = this.root.querySelector(".scale");
    const { duration } = this.data;
    const { width } = this.time.getBoundingClientRect();
    const step = STEPS.find((seconds) => (seconds / duration) * width >= WIDE) ?? STEPS.at(-1);
    scale.replaceChildren();
    for (let time = 0; time < duration - step / 4; time += step) {
      made(scale, "span", "", clock(time)).style.left = `${(100 * time) / duration}%`;
    }
  }

  drawLegend() {
    const legend = this.root.querySelector(".legend");
    const kinds = [...this.data.full, ...this.data.sub].map((answer) => this.kind(answer));
    const shown = [...new Set(kinds.map((kind) => kind.label))].sort((a, b) => b - a);
    legend.replaceChildren();
    for (const label of shown) {
      const name = label < 0 ? NONE : this.data.labels[label];
      made(legend, "li", "", name).style.setProperty("--class", this.colour(label));
    }
    if (kinds.some((kind) => kind.unsure)) made(legend, "li", "unsure", "unsure: less than 50%");
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.ribbon ??= new Ribbon(parentElement);
  parentElement.ribbon.update(data, setTriggerValue);
}
