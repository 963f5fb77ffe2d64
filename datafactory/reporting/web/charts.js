// Charts: bars are lists that can be read aloud, curves are SVG with a sentence.

function share(value) {
  const inner = el("u");
  inner.style.width = `${Math.max(0, Math.min(100, 100 * value))}%`;
  return inner;
}

// Rows of [label, value, said, note]; longest first as they come, `most` of them.
function bars(rows, most = 12) {
  const top = Math.max(...rows.map((row) => row[1]), 1e-9);
  const items = rows.slice(0, most).map(([label, value, said, note]) => el("li", {},
    el("span", {}, ...visible(label)), el("span", { class: "number" }, said ?? number(value)),
    el("span", { class: "bar", "aria-hidden": "true" }, share(value / top)),
    note ? el("small", {}, ...visible(note)) : null));
  if (rows.length > most) items.push(el("li", {}, el("small", {}, `and ${rows.length - most} more`)));
  return el("ul", { class: "bars" }, items);
}

function frame(said, ...inside) {
  return shape("svg", { viewBox: "0 0 360 170", role: "img", "aria-label": said }, ...inside);
}

function label(x, y, text, anchor = "middle") {
  return shape("text", { x, y, "text-anchor": anchor }, text);
}

// Values in `count` bins between `low` and `high`; the last one has what lies beyond.
function histogram(values, low, high, said, count = 20) {
  const bins = new Array(count).fill(0);
  const width = (high - low) / count || 1;
  for (const value of values) bins[Math.max(0, Math.min(count - 1, Math.floor((value - low) / width)))] += 1;
  const top = Math.max(...bins, 1);
  const step = 352 / count;
  const drawn = bins.map((size, place) => {
    const height = size ? Math.max(1.5, 125 * size / top) : 0;
    const bar = shape("rect", { class: "fill", x: 4 + place * step, y: 140 - height, width: step - 2, height, rx: 1.5 });
    bar.append(shape("title", {}, `${number(low + place * width)} to ${number(low + (place + 1) * width)}: ${number(size)}`));
    return bar;
  });
  return frame(said, ...drawn, shape("line", { class: "axis", x1: 4, x2: 356, y1: 140.5, y2: 140.5 }),
    label(4, 158, number(low), "start"), label(356, 158, number(high), "end"), label(4, 12, `${number(top)}`, "start"));
}

function curve(points, said) {
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]).filter(Number.isFinite);
  if (!ys.length) return el("p", { class: "note" }, "no finite loss yet");
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const at = ([x, y]) =>
    `${(40 + 312 * (x - left) / (right - left || 1)).toFixed(1)},${(135 - 115 * (y - low) / (high - low || 1)).toFixed(1)}`;
  return frame(said, shape("line", { class: "axis", x1: 40, x2: 352, y1: 140.5, y2: 140.5 }),
    shape("polyline", { class: "curve", points: points.filter((point) => Number.isFinite(point[1])).map(at).join(" ") }),
    label(34, 24, number(high), "end"), label(34, 139, number(low), "end"),
    label(40, 158, `step ${number(left)}`, "start"), label(352, 158, number(right), "end"));
}

function calibration(bins, said) {
  const x = (value) => 40 + 312 * value;
  const y = (value) => 140 - 125 * value;
  const most = Math.max(...bins.map((bin) => bin.count), 1);
  const dots = bins.map((bin) => {
    const dot = shape("circle", { class: "fill", cx: x(bin.said), cy: y(bin.solved), r: 2.5 + 5 * Math.sqrt(bin.count / most) });
    dot.append(shape("title", {}, `says ${number(bin.said)}, ${percent(bin.solved)} solved, ${number(bin.count)} attempts`));
    return dot;
  });
  return frame(said, shape("line", { class: "axis", x1: 40, x2: 352, y1: 140.5, y2: 140.5 }),
    shape("line", { class: "ideal", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }), ...dots,
    label(34, 20, "100 %", "end"), label(34, 140, "0 %", "end"), label(40, 158, "score 0", "start"), label(352, 158, "1", "end"));
}

function grid(headings, rows) {
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": headings.join(", ") }, el("table", {},
    el("thead", {}, el("tr", {}, headings.map((heading) => el("th", { scope: "col" }, heading)))),
    el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell) => el("td", {}, ...visible(String(cell)))))))));
}

const card = (title, ...inside) => el("div", { class: "card" }, el("h3", {}, ...visible(title)), ...inside);
