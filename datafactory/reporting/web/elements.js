// Elements, numbers and data: all text of a run goes through text nodes, never through markup.

const SVG = "http://www.w3.org/2000/svg";
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

const el = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
const shape = (tag, attributes, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);
const byId = (id) => document.getElementById(id);

// What a terminal would obey, or what would turn text around, as its number: ESC is shown as ‹1b›.
const plain = (text) => [...String(text)].map((sign) =>
  CONTROL.test(sign) ? `‹${sign.codePointAt(0).toString(16).padStart(2, "0")}›` : sign).join("");

function visible(text) {
  const parts = [];
  let start = 0;
  for (const match of text.matchAll(new RegExp(`${CONTROL.source}+`, "g"))) {
    parts.push(text.slice(start, match.index), el("mark", { class: "control" }, plain(match[0])));
    start = match.index + match[0].length;
  }
  parts.push(text.slice(start));
  return parts;
}

const number = (value) => value === null || value === undefined ? "–"
  : value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0 });
const percent = (value) => `${(100 * value).toFixed(value && value < 0.1 ? 1 : 0)} %`;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function counted(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

async function unpack(id) {
  const packed = Uint8Array.from(atob(byId(id).textContent), (sign) => sign.charCodeAt(0));
  const opened = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(opened).text());
}
