// The reader: a list of which only what is seen is drawn, and one attempt beside it.

const HEIGHT = 64;
const reader = { index: null, rows: [], at: -1, chunks: new Map(), asked: 0, texts: null };

const idOf = (row) => `${reader.index.tasks.id[reader.index.rows.task[row]]}/${reader.index.rows.attempt[row]}`;

function fateOf(row) {
  const fate = reader.index.rows.fate[row];
  return fate < 0 ? "not selected yet" : fate === 0 ? "kept" : `dropped by ${reader.index.words.filter[fate - 1]}`;
}

function verdictOf(row) {
  const reward = reader.index.rows.reward[row];
  return reward === null ? ["", "not verified"] : reward === 1 ? ["solved", "solved"] : ["unsolved", `reward ${number(reward)}`];
}

function option(place) {
  const row = reader.rows[place];
  const { rows, tasks, words } = reader.index;
  const [kind, said] = verdictOf(row);
  const node = el("div", { class: `row${rows.chunk[row] < 0 ? " absent" : ""}`, role: "option", id: `row-${place}`,
    "aria-selected": String(place === reader.at), "aria-setsize": reader.rows.length, "aria-posinset": place + 1 },
  el("div", {}, el("span", { class: `mark ${kind}`, "aria-hidden": "true" }), plain(idOf(row))),
  el("small", {}, plain(`${said} · ${fateOf(row)} · ${number(rows.turns[row])} turns · ${words.domain[tasks.domain[rows.task[row]]]}`)));
  node.style.top = `${place * HEIGHT}px`;
  node.addEventListener("click", () => { choose(place); open(); });
  return node;
}

function drawRows() {
  const list = byId("list");
  const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - 8);
  const last = Math.min(reader.rows.length, first + Math.ceil(list.clientHeight / HEIGHT) + 16);
  const drawn = [];
  for (let place = first; place < last; place += 1) drawn.push(option(place));
  byId("rows").style.height = `${reader.rows.length * HEIGHT}px`;
  byId("rows").replaceChildren(...drawn);
  if (reader.at >= first && reader.at < last) list.setAttribute("aria-activedescendant", `row-${reader.at}`);
  else list.removeAttribute("aria-activedescendant");
}

function choose(place) {
  if (!reader.rows.length) return;
  reader.at = Math.max(0, Math.min(reader.rows.length - 1, place));
  const list = byId("list");
  const top = reader.at * HEIGHT;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + HEIGHT - list.clientHeight;
  drawRows();
  if (getComputedStyle(byId("attempt")).display !== "none") show(reader.rows[reader.at]);
}

function chunk(number) {
  if (!reader.chunks.has(number)) reader.chunks.set(number, unpack(`data-${number}`));
  return reader.chunks.get(number);
}

async function show(row) {
  const asked = ++reader.asked;
  const { rows, tasks, words } = reader.index;
  const told = rows.chunk[row] < 0 ? null : (await chunk(rows.chunk[row]))[rows.slot[row]];
  if (asked !== reader.asked) return;
  const [kind, said] = verdictOf(row);
  const task = rows.task[row];
  const back = el("button", { id: "back", type: "button" }, "← Attempts");
  back.addEventListener("click", close);
  const facts = [said, fateOf(row), words.stop[rows.stop[row]], words.teacher[rows.teacher[row]], `${number(rows.seconds[row])} s`,
    ...tasks.skills[task].map((skill) => words.skill[skill])];
  const checks = (told?.checks || []).map((check) => el("li", { class: check.outcome === "passed" ? "good" : "bad" }, plain(`${check.name}: ${check.outcome}`)));
  const scores = (told?.scores || []).map((score) => el("li", {}, plain(`${score.name} ${number(score.value)} by ${score.judge}`)));
  const body = told ? told.messages.map(message) : [el("p", { class: "note" },
    "This conversation is beyond the page's budget of text. datafactory show prints it:"), el("pre", {}, `datafactory show RUN ${plain(idOf(row))}`)];
  byId("attempt").replaceChildren(back, el("h3", {}, ...visible(idOf(row))), el("p", { class: "note" }, ...visible(tasks.prompt[task])),
    el("ul", { class: "chips" }, facts.map((fact, place) => el("li", { class: place ? "" : kind === "solved" ? "good" : kind ? "bad" : "" }, plain(fact))), checks, scores),
    ...(told?.reason ? [el("p", { class: "warn" }, ...visible(told.reason))] : []), ...body);
  byId("attempt").scrollTop = 0;
}

function message(said) {
  return el("div", { class: `message ${/^(assistant|user|tool|system)$/.test(said.role) ? said.role : ""}` }, el("b", {}, plain(said.role)),
    said.thought ? el("pre", { class: "thought" }, ...visible(said.thought)) : null,
    said.content ? el("pre", {}, ...visible(said.content)) : null,
    ...(said.calls || []).map(([name, given]) => el("pre", {}, ...visible(`${name} ${given}`))),
    said.fault ? el("p", { class: "warn" }, ...visible(said.fault)) : null);
}

function open() {
  if (reader.at < 0) return;
  document.body.classList.add("reading");
  show(reader.rows[reader.at]);
  byId("attempt").focus({ preventScroll: true });
}

function close() {
  document.body.classList.remove("reading");
  byId("list").focus({ preventScroll: true });
}

function fits(row) {
  const { rows, tasks } = reader.index;
  const [domain, solved, kept] = ["domain", "solved", "kept"].map((id) => byId(id).value);
  const fate = Math.min(1, rows.fate[row]);
  return (domain === "" || tasks.domain[rows.task[row]] === Number(domain))
    && (solved === "" || String(rows.reward[row] === null ? "none" : rows.reward[row] === 1) === solved)
    && (kept === "" || fate === Number(kept));
}

// Ids and instructions are searched at once, conversations chunk by chunk; a newer search ends an older one.
let searching = 0;

async function search() {
  const mine = ++searching;
  const text = byId("text").value.trim().toLowerCase();
  const { rows, tasks } = reader.index;
  const fitting = [...rows.task.keys()].filter(fits);
  const hit = new Set(fitting.filter((row) => !text || idOf(row).toLowerCase().includes(text)
    || tasks.prompt[rows.task[row]].toLowerCase().includes(text)));
  const list = (more) => {
    reader.rows = fitting.filter((row) => hit.has(row));
    byId("found").textContent = `${number(reader.rows.length)} of ${number(rows.task.length)} attempts${more}`;
  };
  list(text ? ", looking into conversations…" : "");
  reader.at = -1;
  byId("list").scrollTop = 0;
  choose(0);
  if (!reader.rows.length) { byId("attempt").replaceChildren(); drawRows(); }
  if (!text) return;
  const left = fitting.filter((row) => !hit.has(row) && rows.chunk[row] >= 0);
  for (const number of new Set(left.map((row) => rows.chunk[row]))) {
    const told = await chunk(number);
    if (mine !== searching) return;
    for (const row of left) if (rows.chunk[row] === number && contains(told[rows.slot[row]], text)) hit.add(row);
  }
  const chosen = reader.rows[reader.at];
  list("");
  reader.at = Math.max(0, reader.rows.indexOf(chosen));
  choose(reader.at);
}

const contains = (told, text) => told.messages.some((said) => [said.content, said.thought, ...(said.calls || []).flat()]
  .some((part) => part && part.toLowerCase().includes(text)));
