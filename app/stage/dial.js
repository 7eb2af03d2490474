// The dial, which is the curve: cost against accuracy, and a thumb that rests on what can be bought.

const MARGIN = { left: 44, right: 26, top: 12, bottom: 22 };
const NEAR = 11; // pixels around a point that count as on it
const LATER = 400; // milliseconds after the last arrow key until the server is told

class Dial {
  constructor(root, onMove, onRelease) {
    this.svg = root.querySelector(".curve svg");
    this.input = root.querySelector(".curve input");
    [this.onMove, this.onRelease] = [onMove, onRelease];
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.pressed && this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.svg.addEventListener(name, (event) => this.release(event));
    this.input.addEventListener("input", () => {
      this.move(this.points[this.list[Number(this.input.value)]].key);
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.onRelease(this.chosen), LATER);
    });
    new ResizeObserver(() => this.points && this.draw()).observe(this.svg);
  }

  /** points: every tested configuration; list: places of those that can be bought, cheapest first. */
  load({ points, list, unit, metric, full }) {
    Object.assign(this, { points, list, unit, metric, full });
    this.input.max = list.length - 1;
    this.input.setAttribute("aria-label", `Compute budget, in ${unit.name}`);
  }

  show(key) {
    this.chosen = key;
    const place = this.list.findIndex((i) => this.points[i].key === key);
    if (place >= 0) this.input.value = place;
    this.input.setAttribute("aria-valuetext", this.points.find((point) => point.key === key).spoken);
    this.draw();
  }

  press(event) {
    event.preventDefault();
    this.input.focus({ preventScroll: true });
    this.svg.setPointerCapture(event.pointerId);
    this.pressed = { x: event.offsetX, y: event.offsetY };
    const point = this.nearest(this.points, event, NEAR);
    if (point && !point.listed) {
      this.pressed.picked = true;
      this.move(point.key);
    } else this.drag(event);
  }

  drag(event) {
    if (this.pressed.picked && Math.abs(event.offsetX - this.pressed.x) < NEAR) return;
    this.pressed.picked = false;
    const bought = this.list.map((i) => this.points[i]);
    const far = (point) => Math.abs(this.x(point.cost) - event.offsetX);
    this.move(bought.reduce((best, point) => (far(point) < far(best) ? point : best)).key);
  }

  release() {
    if (!this.pressed) return;
    this.pressed = null;
    clearTimeout(this.waiting);
    this.onRelease(this.chosen);
  }

  move(key) {
    if (key === this.chosen) return;
    this.show(key);
    this.onMove(key);
  }

  nearest(points, { offsetX, offsetY }, limit) {
    const far = (point) => Math.hypot(this.x(point.cost) - offsetX, this.y(point.accuracy) - offsetY);
    const found = points.reduce((best, point) => (far(point) < far(best) ? point : best));
    return far(found) <= limit ? found : null;
  }

  x(cost) {
    const [low, high] = this.costs;
    const share = high > low ? Math.log(cost / low) / Math.log(high / low) : 0.5;
    return MARGIN.left + share * (this.width - MARGIN.left - MARGIN.right);
  }

  y(accuracy) {
    const [low, high] = this.heights;
    return this.height - MARGIN.bottom - ((accuracy - low) / (high - low)) * (this.height - MARGIN.top - MARGIN.bottom);
  }

  measure({ width, height }) {
    const bought = this.list.map((i) => this.points[i]);
    const chosen = this.points.find((point) => point.key === this.chosen);
    [this.width, this.height] = [width, height];
    this.costs = [Math.min(...bought.map((p) => p.cost)), Math.max(...bought.map((p) => p.cost))];
    const values = [...bought, chosen].map((point) => point.accuracy);
    const pad = Math.max(1, 0.12 * (Math.max(...values) - Math.min(...values)));
    this.heights = [Math.min(...values) - pad, Math.max(...values) + pad];
    return { bought, chosen };
  }

  /** size: pixels to draw for, by default those that there are. */
  draw(size = this.svg.getBoundingClientRect()) {
    const { bought, chosen } = this.measure(size);
    if (!this.width) return;
    this.svg.replaceChildren();
    this.drawAxes();
    const inside = ({ cost, accuracy }) => accuracy >= this.heights[0] && cost >= this.costs[0] && cost <= this.costs[1];
    for (const point of this.points.filter((p) => !p.listed && inside(p))) this.dot(point, 2.5, "tested");
    const path = bought.map((point) => `${this.x(point.cost)},${this.y(point.accuracy)}`).join(" ");
    drawn(this.svg, "polyline", { points: path, class: "list" });
    for (const point of bought) this.dot(point, 4.5, point.key === this.full ? "full" : "bought");
    const x = clamp(this.x(chosen.cost), MARGIN.left, this.width - MARGIN.right);
    drawn(this.svg, "line", { x1: x, x2: x, y1: 0, y2: this.height - MARGIN.bottom, class: "thumb" });
    drawn(this.svg, "circle", { cx: x, cy: this.y(chosen.accuracy), r: 10, class: "thumb" });
  }

  dot(point, r, name) {
    const dot = drawn(this.svg, "circle", { cx: this.x(point.cost), cy: this.y(point.accuracy), r, class: name });
    drawn(dot, "title", {}).textContent = point.spoken;
  }

  drawAxes() {
    const bottom = this.height - MARGIN.bottom;
    for (const value of rounds(this.heights[0], this.heights[1])) {
      drawn(this.svg, "line", { x1: MARGIN.left, x2: this.width - MARGIN.right, y1: this.y(value), y2: this.y(value), class: "grid" });
      this.text(MARGIN.left - 6, this.y(value) + 4, `${value}%`, "end");
    }
    const last = this.width - MARGIN.right;
    let free = -Infinity;
    for (const value of decades(...this.costs)) {
      const x = this.x(value);
      drawn(this.svg, "line", { x1: x, x2: x, y1: bottom, y2: bottom + 4, class: "axis" });
      const isFirst = free === -Infinity;
      if (x - free < 46 || x > last - 60) continue;
      this.text(x, bottom + 17, amount(value, this.unit, isFirst), isFirst ? "start" : "middle");
      free = x + (isFirst ? 60 : 0);
    }
    this.text(last, bottom + 17, "100%", "middle", "whole");
  }

  text(x, y, content, anchor, name = "") {
    drawn(this.svg, "text", { x, y, "text-anchor": anchor, class: name }).textContent = content;
  }
}

/** 1, 2 and 5 times the powers of ten between two costs. */
function decades(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const digit of [1, 2, 5]) {
      const value = Number(`${digit}e${power}`);
      if (value >= low && value <= high) found.push(value);
    }
  }
  return found;
}

/** Round values between two heights, as few as there are from two on. */
function rounds(low, high) {
  const multiples = (step) => {
    const first = Math.ceil(low / step);
    return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, i) => (first + i) * step);
  };
  return [50, 20, 10, 5, 2, 1].map(multiples).find((values) => values.length > 1) ?? multiples(1);
}

/** A cost as the axis shows it; with its unit where it is the first. */
function amount(value, { suffix }, isFirst) {
  const short = value >= 1e6 ? `${value / 1e6} M` : value >= 1e4 ? `${value / 1e3} k` : `${value}`;
  return short + (isFirst || suffix === "%" ? suffix : "");
}
