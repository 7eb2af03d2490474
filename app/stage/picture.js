// The stage as one picture to show to others: clip, maps, answers, dial and cost on one sheet.

const SHEET = { width: 1200, height: 720, dense: 1.5, margin: 36 };
const FRAME = { top: 104, width: 620, height: 400 }; // the most that the clip takes
const COLUMN = 700; // where the answers begin
const CURVE = { width: SHEET.width - 2 * SHEET.margin, height: 130 };

/** What is on the stage now, in its colours, as a canvas; its dial is drawn for CURVE. about: below the title. */
function sheetOf(root, { title, about, machine }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [SHEET.width * SHEET.dense, SHEET.height * SHEET.dense];
  const context = canvas.getContext("2d");
  context.scale(SHEET.dense, SHEET.dense);
  const sheet = new Sheet(context, root);
  sheet.fill(0, 0, SHEET.width, SHEET.height, sheet.ground);
  sheet.write(title, SHEET.margin, 58, { size: 28, weight: 700 });
  sheet.write(about, SHEET.margin, 84, { size: 16, colour: sheet.faint, most: FRAME.width });
  const right = { align: "right", colour: sheet.faint };
  sheet.write(root.querySelector(".pace").textContent, SHEET.width - SHEET.margin, 58, { ...right, size: 20, colour: sheet.ink });
  sheet.write(machine, SHEET.width - SHEET.margin, 84, right);
  sheet.frame();
  sheet.answers();
  sheet.numbers();
  sheet.curve();
  return canvas;
}

class Sheet {
  constructor(context, root) {
    [this.context, this.root] = [context, root];
    const style = (selector) => getComputedStyle(root.querySelector(selector));
    this.font = style(".stage").fontFamily;
    this.ink = style(".stage").color;
    this.faint = style(".hint").color;
    this.ground = style(".dial").backgroundColor;
    this.colours = { full: style(".tag.full").backgroundColor, sub: style(".tag.sub").backgroundColor };
  }

  fill(x, y, width, height, colour, radius = 0) {
    this.context.fillStyle = colour;
    this.context.beginPath();
    this.context.roundRect(x, y, width, height, radius);
    this.context.fill();
  }

  /** A line of text, pressed together where it is longer than `most`; where it ends. */
  write(text, x, y, { size = 15, weight = 400, colour = this.ink, align = "left", most } = {}) {
    this.context.font = `${weight} ${size}px ${this.font}`;
    this.context.textAlign = align;
    this.context.fillStyle = colour;
    this.context.fillText(text, x, y, most);
    return x + this.context.measureText(text).width;
  }

  /** A text in lines of a width; where the next one would stand. */
  wrap(text, x, y, width, { size = 15, ...how } = {}) {
    this.context.font = `${size}px ${this.font}`;
    let line = "";
    for (const word of text.split(" ")) {
      const longer = line ? `${line} ${word}` : word;
      if (line && this.context.measureText(longer).width > width) {
        this.write(line, x, y, { size, ...how });
        [line, y] = [word, y + 1.4 * size];
      } else line = longer;
    }
    this.write(line, x, y, { size, ...how });
    return y + 1.4 * size;
  }

  /** The clip under its maps, with the wipe. */
  frame() {
    const screen = this.root.querySelector(".screen");
    const [video, maps] = [screen.querySelector("video"), screen.querySelector("canvas")];
    const ratio = maps.width / maps.height;
    const [width, height] = ratio > FRAME.width / FRAME.height ? [FRAME.width, FRAME.width / ratio] : [FRAME.height * ratio, FRAME.height];
    const [left, top] = [SHEET.margin, FRAME.top];
    for (const layer of [video, maps]) this.context.drawImage(layer, left, top, width, height);
    const { side } = screen.dataset;
    if (side === "both") this.fill(left + width * Number(screen.style.getPropertyValue("--wipe")) - 1, top, 2, height, "#fff");
    for (const who of side === "both" ? ["full", "sub"] : [side]) {
      const tag = screen.querySelector(`.tag.${who}`);
      const x = who === "full" ? left + 10 : left + width - 58;
      this.fill(x, top + 10, 48, 22, this.colours[who], 11);
      this.write(tag.textContent, x + 24, top + 26, { size: 14, weight: 600, colour: getComputedStyle(tag).color, align: "center" });
    }
  }

  /** The sentence, the bars and the scale of colours. */
  answers() {
    const right = SHEET.width - SHEET.margin;
    let y = this.wrap(this.root.querySelector(".verdict").textContent, COLUMN, FRAME.top + 14, right - COLUMN, { size: 17 }) + 10;
    for (const button of this.root.querySelectorAll(".bars button")) {
      const weight = button.getAttribute("aria-pressed") === "true" ? 600 : 400;
      this.write(button.querySelector(".class").textContent, COLUMN, y + 13, { size: 16, weight });
      const numbers = button.querySelectorAll(".number");
      for (const [row, who] of ["full", "sub"].entries()) {
        const [track, top] = [button.querySelector(`.track.${who}`), y + 17 * row - 4];
        const [from, width] = [COLUMN + 190, right - COLUMN - 240];
        this.fill(from, top, width, 9, "rgba(128,128,128,0.3)", 4.5);
        const share = Number(track.style.getPropertyValue("--share"));
        if (share > 0) this.fill(from, top, Math.max(2, width * share), 9, this.colours[who], 4.5);
        this.write(numbers[row].textContent, right, top + 9, { size: 13, align: "right" });
      }
      y += 40;
    }
    this.scale(y + 8, right);
  }

  scale(y, right) {
    const box = this.root.querySelector(".scale");
    if (box.hidden) return;
    this.fill(COLUMN, y, right - COLUMN, 10, "#808080");
    this.context.drawImage(box.querySelector("canvas"), COLUMN, y, right - COLUMN, 10);
    for (const [name, align, x] of [["low", "left", COLUMN], ["name", "center", (COLUMN + right) / 2], ["high", "right", right]]) {
      this.write(box.querySelector(`.${name}`).textContent, x, y + 27, { size: 13, colour: this.faint, align });
    }
  }

  /** What the configuration is, costs and gives. */
  numbers() {
    let x = SHEET.margin;
    for (const item of this.root.querySelectorAll(".readout div")) {
      x = this.write(item.querySelector("dd").textContent, x, 556, { size: 20, weight: 650 }) + 7;
      x = this.write(item.querySelector("dt").textContent, x, 556, { size: 13, colour: this.faint }) + 24;
    }
  }

  /** The dial as it is drawn. */
  curve() {
    this.context.save();
    this.context.translate(SHEET.margin, 572);
    for (const element of this.root.querySelector(".curve svg").children) this.shape(element);
    this.context.restore();
  }

  shape(element) {
    const style = getComputedStyle(element);
    const at = (name) => Number(element.getAttribute(name));
    this.context.globalAlpha = Number(style.opacity);
    if (element.tagName === "text") {
      const align = { start: "left", middle: "center", end: "right" }[style.textAnchor];
      this.write(element.textContent, at("x"), at("y"), { size: 12, weight: style.fontWeight, colour: style.fill, align });
    } else {
      this.context.beginPath();
      if (element.tagName === "circle") this.context.arc(at("cx"), at("cy"), at("r"), 0, 2 * Math.PI);
      if (element.tagName === "line") line(this.context, at("x1"), at("y1"), at("x2"), at("y2"));
      for (const { x, y } of element.points ?? []) this.context.lineTo(x, y);
      if (style.fill !== "none") Object.assign(this.context, { fillStyle: style.fill }).fill();
      Object.assign(this.context, { strokeStyle: style.stroke, lineWidth: parseFloat(style.strokeWidth) });
      if (style.stroke !== "none") this.context.stroke();
    }
    this.context.globalAlpha = 1;
  }
}

/** Give a canvas to the visitor as a PNG file. */
function download(canvas, name) {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }, "image/png");
}
