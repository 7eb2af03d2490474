// The stage: holds what the server sent, passes a choice to the film, the bars and the dial, and tells it on release.

const PATIENCE = 3000; // milliseconds that an answer of the server may be late

class Stage {
  constructor(root) {
    this.root = root;
    this.film = new Film(root);
    this.dial = new Dial(root, (key) => this.choose(key), (key) => this.tell(key));
    this.answers = new Answers(root, (label) => this.explain(label));
    this.race = new Race(root);
    root.querySelector(".save").addEventListener("click", () => this.save());
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
  }

  /** New data of the server: another clip, table or choice, or more of the same. */
  update(data, send) {
    this.send = send;
    const isNew = data.about !== this.data?.about;
    if (isNew) [this.findings, this.label] = [{}, data.clip?.explained];
    this.data = data;
    this.root.querySelector(".stage").classList.toggle("bare", !data.clip);
    for (const [key, found] of Object.entries(data.clip?.findings ?? {})) this.findings[key] ??= unpacked(found);
    this.dial.load(data);
    if (data.clip) this.load(data.clip);
    else this.film.stop();
    if (isNew || this.isNews(data.choice)) {
      this.told = data.choice;
      this.dial.show(data.choice);
    }
    this.choose(this.dial.chosen);
  }

  /** Whether the server's choice is another one, and no late echo of one that was left since. */
  isNews(choice) {
    const isLate = this.asked && choice !== this.told && performance.now() - this.asked < PATIENCE;
    if (choice === this.told) this.asked = null;
    return choice !== this.told && !isLate;
  }

  load(clip) {
    this.colours = bytes(clip.colours);
    this.film.load(clip, this.colours);
    this.paintScale();
  }

  choose(key) {
    this.readout(key);
    if (!this.data.clip) return;
    const { labels, mapped, scales, slowed, measured } = this.data.clip;
    const shown = { full: this.findings[this.data.full], sub: this.findings[key], label: this.label };
    this.film.show({ ...shown, scale: scales[this.label] });
    this.answers.show({ ...shown, labels, mapped });
    this.race.show({ ...shown, slowed, measured });
    this.tellScale(scales[this.label], labels[mapped[this.label]]);
    this.film.canvas.setAttribute("aria-label", shown.sub?.evidence[this.label] ?? "");
  }

  explain(label) {
    this.label = label;
    this.choose(this.dial.chosen);
  }

  tell(key) {
    if (key === this.told) return;
    this.told = key;
    this.asked = performance.now();
    this.send("picked", key);
  }

  readout(key) {
    const point = this.data.points.find((one) => one.key === key);
    const [found, full] = [this.findings[key], this.findings[this.data.full]];
    const time = found && [`${found.milliseconds} ms`, "here", `, full ${full.milliseconds} ms`];
    const items = [...point.numbers, ...(time ? [time] : [])];
    this.root.querySelector(".readout").replaceChildren(
      ...items.map(([value, name, more]) => {
        const item = document.createElement("div");
        const term = document.createElement("dt");
        term.append(name, span("more", more ?? ""));
        item.append(term, document.createElement("dd"));
        item.lastChild.textContent = value;
        return item;
      }),
    );
  }

  paintScale() {
    const canvas = this.root.querySelector(".scale canvas");
    const width = this.colours.length / 4;
    canvas.width = width;
    canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(this.colours), width, 1), 0, 0);
  }

  tellScale(scale, name) {
    const box = this.root.querySelector(".scale");
    box.hidden = !(scale > 0);
    const end = scale.toFixed(1);
    box.querySelector(".low").textContent = `−${end} against`;
    box.querySelector(".name").textContent = name;
    box.querySelector(".high").textContent = `for +${end}`;
    box.setAttribute("aria-label", `Colours from ${end} logits against ${name} to ${end} for it`);
  }

  /** What is on the stage as a picture, named after the clip and the configuration. */
  save() {
    const { sheet, file } = this.data.clip;
    this.dial.draw(CURVE);
    download(sheetOf(this.root, sheet), `${file}-${this.dial.chosen}.png`);
    this.dial.draw();
  }

  /** A: full network, B: sub-network, S: both, G: cells, E: its eyes, P: a picture. Not while somebody writes. */
  key(event) {
    const at = event.composedPath()[0];
    const isField = /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) && at.type !== "range";
    if (event.ctrlKey || event.metaKey || event.altKey || isField || at.isContentEditable || !this.data?.clip) return;
    const sides = { a: "full", b: "sub", s: "both" };
    const toggles = { g: "cells", e: "eyes" };
    const name = event.key.toLowerCase();
    if (name in sides) this.film.side(sides[name]);
    else if (name in toggles) this.film.toggle(toggles[name]);
    else if (name === "p" && !event.repeat) this.save();
  }

  stop() {
    this.film.stop();
    document.removeEventListener("keydown", this.onKey);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.stage ??= new Stage(parentElement);
  parentElement.stage.update(data, setTriggerValue);
  return () => parentElement.stage.stop();
}
