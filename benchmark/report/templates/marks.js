"use strict";

// How numbers are printed and ranked, and the two charts.
const DASH = "—";

function numeric(value) {
  return value === "inf" ? Infinity : value;
}

function printed(value, metric) {
  if (value === null || value === undefined) return DASH;
  if (value === "inf") return "∞";
  return value.toFixed(metric.decimals).replace("-", "−");
}

function signed(value, metric) {
  const text = printed(value, metric);
  if (text === DASH || Number(value.toFixed(metric.decimals)) === 0) return text.replace("−", "");
  return value < 0 ? text : `+${text}`;
}

function withUnit(text, metric) {
  return metric.unit ? `${text} ${metric.unit}` : text;
}

// Best and second of what is shown, by what is printed: equal print, equal rank.
function ranks(values, metric) {
  const sign = metric.rises ? -1 : 1;
  const texts = new Map();
  values.forEach((value) => {
    if (value !== null) texts.set(printed(value, metric), sign * numeric(value));
  });
  const ordered = Array.from(texts.keys()).sort((a, b) => texts.get(a) - texts.get(b));
  if (ordered.length < 2) return () => 0;
  return (value) => (value === null ? 0 : ordered.slice(0, 2).indexOf(printed(value, metric)) + 1);
}

function niceTicks(low, high, most) {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((s) => span / s <= most);
  const made = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-6; at += step) made.push(at);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return made.map((at) => ({ at, text: at.toFixed(digits).replace("-", "−") }));
}

function mark(track, x, y) {
  if (track === "classical") {
    return shape("rect", { class: "mark classical", x: x - 4, y: y - 4, width: 8, height: 8 });
  }
  if (track === "released") {
    const points = `${x},${y - 5.5} ${x + 5.5},${y + 4} ${x - 5.5},${y + 4}`;
    return shape("polygon", { class: "mark released", points });
  }
  return shape("circle", { class: "mark retrained", cx: x, cy: y, r: 4.5 });
}

// Dots with their intervals, a line a row; a hollow diamond is the paper's number.
function dotPlot(rows, metric, width, label) {
  const shown = rows.filter((row) => Number.isFinite(row.value));
  const longest = Math.max(0, ...shown.map((row) => row.name.length));
  const left = Math.min(longest * 7.6 + 12, width * 0.5);
  const letters = Math.floor((left - 12) / 7.4);
  const ends = shown.flatMap((row) => [row.value, row.low, row.high, row.reported])
    .filter((value) => Number.isFinite(value));
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const pad = (high - low || 1) * 0.04;
  const scale = (value) => left + ((value - low + pad) / (high - low + 2 * pad)) * (width - left - 12);
  const height = shown.length * 20 + 30;
  const svg = shape("svg", {
    class: "chart", role: "img", "aria-label": label, width, height, viewBox: `0 0 ${width} ${height}`,
  });
  niceTicks(low, high, Math.max(2, Math.floor((width - left) / 70))).forEach(({ at, text }) => {
    const x = scale(at);
    svg.append(shape("line", { class: "grid", x1: x, x2: x, y1: 0, y2: height - 24 }));
    svg.append(shape("text", { class: "axis", x, y: height - 8, "text-anchor": "middle" }, text));
  });
  shown.forEach((row, place) => {
    const y = place * 20 + 12;
    const name = row.name.length > letters ? `${row.name.slice(0, letters - 1)}…` : row.name;
    svg.append(shape("text", { class: row.own ? "name own" : "name", x: left - 10, y: y + 4, "text-anchor": "end" }, name));
    if (Number.isFinite(row.low)) {
      svg.append(shape("line", { class: "interval", x1: scale(row.low), x2: scale(row.high), y1: y, y2: y }));
    }
    if (Number.isFinite(row.reported)) {
      const x = scale(row.reported);
      svg.append(shape("polygon", { class: "printed", points: `${x},${y - 6} ${x + 6},${y} ${x},${y + 6} ${x - 6},${y}` }));
    }
    const dot = mark(row.track, scale(row.value), y);
    dot.append(shape("title", {}, `${row.name}: ${withUnit(printed(row.value, metric), metric)}`));
    svg.append(dot);
  });
  return svg;
}

// One dot an image: the first method upwards, the second to the right.
function scatter(points, metric, names, width, label) {
  const side = Math.min(width, 460);
  const values = points.flatMap((point) => [point.first, point.second]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const pad = (high - low || 1) * 0.06;
  const at = (value) => (value - low + pad) / (high - low + 2 * pad);
  const x = (value) => 52 + at(value) * (side - 64);
  const y = (value) => side - 44 - at(value) * (side - 56);
  const svg = shape("svg", {
    class: "chart", role: "img", "aria-label": label, width: side, height: side, viewBox: `0 0 ${side} ${side}`,
  });
  niceTicks(low, high, 5).forEach(({ at: value, text }) => {
    svg.append(
      shape("line", { class: "grid", x1: x(value), x2: x(value), y1: 12, y2: side - 44 }),
      shape("line", { class: "grid", x1: 52, x2: side - 12, y1: y(value), y2: y(value) }),
      shape("text", { class: "axis", x: x(value), y: side - 28, "text-anchor": "middle" }, text),
      shape("text", { class: "axis", x: 46, y: y(value) + 4, "text-anchor": "end" }, text),
    );
  });
  svg.append(shape("line", { class: "diagonal", x1: x(low), y1: y(low), x2: x(high), y2: y(high) }));
  points.forEach((point) => {
    const gain = (metric.rises ? 1 : -1) * Math.sign(point.first - point.second);
    const dot = shape("circle", { class: `mark ${["loses", "equal", "wins"][gain + 1]}`, cx: x(point.second), cy: y(point.first), r: 4.5 });
    const told = `${point.image}: ${printed(point.first, metric)} and ${printed(point.second, metric)}`;
    dot.append(shape("title", {}, told));
    svg.append(dot);
  });
  const middle = (side - 32) / 2;
  svg.append(
    shape("text", { class: "axis", x: side / 2 + 20, y: side - 8, "text-anchor": "middle" }, names[1]),
    shape("text", { class: "axis", x: 12, y: middle, "text-anchor": "middle", transform: `rotate(-90 12 ${middle})` }, names[0]),
  );
  return svg;
}
