// Maps: how they come from the server, how they lie in time, how they are painted.

const FINE = 64; // pixels a side of a smooth map before the canvas enlarges it

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const floats = (text) => new Float32Array(bytes(text).buffer);
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A finding as it came, with its arrays unpacked: maps (labels, t, h, w), shares (labels, t). */
function unpacked(found) {
  return { ...found, maps: floats(found.maps), shares: floats(found.shares) };
}

/** The map of a class at a moment, between the two steps around it: Float32Array (h · w). */
function mapAt(found, label, time) {
  const { times, cells } = found;
  const size = cells[0] * cells[1];
  const after = times.findIndex((moment) => moment > time);
  const next = after < 0 ? times.length - 1 : after;
  const last = after < 0 ? next : Math.max(0, next - 1);
  const gap = times[next] - times[last];
  const share = gap > 0 ? clamp((time - times[last]) / gap, 0, 1) : 0;
  const start = (step) => (label * times.length + step) * size;
  const [a, b] = [start(last), start(next)];
  return Float32Array.from({ length: size }, (_, i) => (1 - share) * found.maps[a + i] + share * found.maps[b + i]);
}

/** Bilinear, as the library enlarges maps: the middle of a cell keeps its value. */
function enlarged(map, [height, width], size) {
  const fine = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    const down = clamp(((y + 0.5) * height) / size - 0.5, 0, height - 1);
    const [top, dy] = [Math.floor(down), down % 1];
    const bottom = Math.min(top + 1, height - 1);
    for (let x = 0; x < size; x++) {
      const across = clamp(((x + 0.5) * width) / size - 0.5, 0, width - 1);
      const [left, dx] = [Math.floor(across), across % 1];
      const right = Math.min(left + 1, width - 1);
      const upper = map[top * width + left] * (1 - dx) + map[top * width + right] * dx;
      const lower = map[bottom * width + left] * (1 - dx) + map[bottom * width + right] * dx;
      fine[y * size + x] = upper * (1 - dy) + lower * dy;
    }
  }
  return fine;
}

/** A map as a picture of its own: smooth, or a pixel a cell. colours: RGBA from against to for. */
function pictureOf(map, cells, scale, colours, isCoarse, canvas) {
  const [height, width] = isCoarse ? cells : [FINE, FINE];
  const values = isCoarse ? map : enlarged(map, cells, FINE);
  [canvas.width, canvas.height] = [width, height];
  const picture = new ImageData(width, height);
  const middle = (colours.length / 4 - 1) / 2;
  for (let i = 0; i < values.length; i++) {
    const level = scale > 0 ? clamp(values[i] / scale, -1, 1) : 0;
    const place = 4 * Math.round(middle * (1 + level));
    for (let channel = 0; channel < 4; channel++) picture.data[4 * i + channel] = colours[place + channel];
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}

/** Lines between the cells of a map that lies in a square. */
function drawGrid(context, [height, width], { x, y, side }) {
  context.strokeStyle = "rgba(255,255,255,0.35)";
  context.lineWidth = 1;
  context.beginPath();
  for (let i = 0; i <= width; i++) line(context, x + (i * side) / width, y, x + (i * side) / width, y + side);
  for (let i = 0; i <= height; i++) line(context, x, y + (i * side) / height, x + side, y + (i * side) / height);
  context.stroke();
}

function line(context, x, y, toX, toY) {
  context.moveTo(x, y);
  context.lineTo(toX, toY);
}
