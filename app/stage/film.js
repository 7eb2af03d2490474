// The clip as it plays, the maps above it, and the line of time with the frames that each network saw.

const SVG = "http://www.w3.org/2000/svg";

function drawn(parent, name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

class Film {
  constructor(root) {
    this.screen = root.querySelector(".screen");
    this.video = root.querySelector("video");
    this.canvas = root.querySelector(".screen > canvas");
    this.wipe = root.querySelector(".wipe");
    this.scrub = root.querySelector(".times input");
    this.ticks = root.querySelector(".times svg");
    this.button = root.querySelector(".toggle");
    this.layers = { full: document.createElement("canvas"), sub: document.createElement("canvas") };
    this.small = document.createElement("canvas");
    this.shown = {};
    this.cells = this.eyes = false;
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.listen(root);
  }

  listen(root) {
    this.wipe.addEventListener("input", () => this.draw());
    this.button.addEventListener("click", () => this.play(this.video.paused));
    this.scrub.addEventListener("input", () => {
      this.play(false);
      this.video.currentTime = Number(this.scrub.value);
    });
    for (const event of ["seeked", "loadeddata", "timeupdate"]) this.video.addEventListener(event, () => this.draw());
    for (const event of ["play", "pause"]) this.video.addEventListener(event, () => this.tellState());
    for (const button of root.querySelectorAll("[data-side]")) {
      button.addEventListener("click", () => this.side(button.dataset.side));
    }
    for (const button of root.querySelectorAll("[data-toggle]")) {
      button.addEventListener("click", () => this.toggle(button.dataset.toggle));
    }
    this.buttons = [...root.querySelectorAll("[data-side], [data-toggle]")];
    new ResizeObserver(() => this.drawAll()).observe(this.screen);
  }

  /** Another clip, or the same again, of which nothing changes. */
  load(clip, colours) {
    this.clip = clip;
    this.colours = colours;
    this.screen.style.setProperty("--ratio", clip.width / clip.height);
    this.video.setAttribute("aria-label", `The clip: ${clip.name}`);
    if (this.video.getAttribute("src") === clip.film) return;
    this.video.setAttribute("src", clip.film);
    this.scrub.max = clip.seconds;
    this.play(!this.still);
  }

  /** What lies above the clip. full, sub: findings, or nothing where one is not known yet. */
  show(shown) {
    this.shown = shown;
    this.drawAll();
  }

  play(wanted) {
    if (wanted) this.video.play().catch((error) => error.name === "AbortError" || this.tellState());
    else this.video.pause();
  }

  tellState() {
    this.button.setAttribute("aria-label", this.video.paused ? "Play" : "Pause");
    this.button.classList.toggle("paused", this.video.paused);
    cancelAnimationFrame(this.next);
    if (!this.video.paused) this.run();
  }

  run() {
    this.draw();
    this.next = requestAnimationFrame(() => this.run());
  }

  stop() {
    cancelAnimationFrame(this.next);
    this.video.pause();
  }

  side(name) {
    this.wipe.value = { full: 100, both: 50, sub: 0 }[name];
    this.draw();
  }

  toggle(name) {
    this[name] = !this[name];
    this.draw();
  }

  drawAll() {
    this.drawTicks();
    this.draw();
  }

  draw() {
    const share = Number(this.wipe.value) / 100;
    this.screen.style.setProperty("--wipe", share);
    this.screen.dataset.side = share === 1 ? "full" : share === 0 ? "sub" : "both";
    for (const button of this.buttons) {
      const { side, toggle } = button.dataset;
      button.setAttribute("aria-pressed", side ? side === this.screen.dataset.side : this[toggle]);
    }
    if (!this.clip) return;
    this.scrub.value = this.video.currentTime;
    this.scrub.setAttribute("aria-valuetext", `${(this.clip.start + this.video.currentTime).toFixed(2)} seconds`);
    this.ticks.style.setProperty("--now", this.video.currentTime / this.clip.seconds);
    this.paint(share);
  }

  paint(share) {
    const dense = devicePixelRatio || 1;
    const { width, height } = this.screen.getBoundingClientRect();
    const size = [Math.round(width * dense), Math.round(height * dense)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) [this.canvas.width, this.canvas.height] = size;
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, ...size);
    const side = Math.min(...size);
    const square = { x: (size[0] - side) / 2, y: (size[1] - side) / 2, side };
    this.shade(context, size, square);
    this.half(context, "full", square, 0, share * size[0]);
    this.half(context, "sub", square, share * size[0], size[0]);
  }

  /** What no network sees: the picture beside the square. */
  shade(context, [width, height], { x, y }) {
    context.fillStyle = "rgba(0,0,0,0.55)";
    context.fillRect(0, 0, x, height);
    context.fillRect(width - x, 0, x, height);
    context.fillRect(0, 0, width, y);
    context.fillRect(0, height - y, width, y);
  }

  half(context, who, square, from, to) {
    const found = this.shown[who];
    if (!found || to <= from) return;
    context.save();
    context.beginPath();
    context.rect(from, 0, to - from, this.canvas.height);
    context.clip();
    if (this.eyes) this.drawEyes(context, found, square);
    const time = this.clip.start + this.video.currentTime;
    const map = mapAt(found, this.shown.label, time);
    const layer = pictureOf(map, found.cells, this.shown.scale, this.colours, this.cells, this.layers[who]);
    context.imageSmoothingEnabled = !this.cells;
    context.drawImage(layer, square.x, square.y, square.side, square.side);
    if (this.cells) drawGrid(context, found.cells, square);
    context.restore();
  }

  /** The picture with as many pixels as the network gets. */
  drawEyes(context, { pixels }, square) {
    const { videoWidth, videoHeight } = this.video;
    if (!videoWidth) return;
    const side = Math.min(videoWidth, videoHeight);
    [this.small.width, this.small.height] = [pixels, pixels];
    const small = this.small.getContext("2d");
    small.drawImage(this.video, (videoWidth - side) / 2, (videoHeight - side) / 2, side, side, 0, 0, pixels, pixels);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.small, square.x, square.y, square.side, square.side);
  }

  /** A mark for each frame that a network saw, the higher the more of its evidence lies there. */
  drawTicks() {
    this.ticks.replaceChildren();
    if (!this.clip) return;
    for (const [row, who] of ["full", "sub"].entries()) {
      const found = this.shown[who];
      if (!found) continue;
      const shares = found.times.map((_, i) => found.shares[this.shown.label * found.times.length + i]);
      const most = Math.max(...shares, 1e-9);
      for (const [i, time] of found.times.entries()) {
        const x = `${(100 * (time - this.clip.start)) / this.clip.seconds}%`;
        const height = 3 + 13 * (shares[i] / most) * (shares[i] > 0);
        drawn(this.ticks, "rect", { x, y: 18 + 20 * row - height, width: 5, height, rx: 1.5, class: who });
      }
    }
    drawn(this.ticks, "line", { class: "now", y1: 0, y2: 40 });
  }
}
