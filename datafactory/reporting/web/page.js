// The page: its data is opened, its sections drawn, its keys heard.

function choices(id, all) {
  byId(id).replaceChildren(...all.map(([value, said]) => el("option", { value }, plain(said))));
  byId(id).addEventListener("change", search);
}

function extent(index) {
  const all = index.rows.task.length;
  if (!all) return "No attempt yet.";
  return index.shown === all ? `All ${number(all)} attempts with their conversations.`
    : `${number(all)} attempts; this page holds the conversations of ${number(index.shown)} of them, drawn by a hash of their ids. The others are dimmed.`;
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  const inList = event.target === byId("list");
  const page = Math.max(1, Math.floor(byId("list").clientHeight / HEIGHT) - 1);
  const move = { j: 1, k: -1, ...(inList ? { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity } : {}) }[event.key];
  if (event.key === "Escape") {
    if (document.body.classList.contains("reading")) close();
    else if (event.target === byId("text") && byId("text").value) { byId("text").value = ""; search(); }
    else byId("list").focus();
  } else if (typing) {
    if (event.key !== "Enter" || event.target !== byId("text")) return;
    byId("list").focus();
  } else if (event.key === "/") byId("text").focus();
  else if (move !== undefined) {
    choose(reader.at + move);
    if (document.body.classList.contains("reading")) show(reader.rows[reader.at]);
  } else if (event.key === "Enter" && inList) open();
  else return;
  event.preventDefault();
}

async function start() {
  const [facts, index] = await Promise.all([unpack("data-facts"), unpack("data-index")]);
  draw(facts, index);
  reader.index = index;
  byId("extent").textContent = extent(index);
  if (index.rows.task.length) {
    choices("domain", [["", "All domains"], ...index.words.domain.map((name, place) => [place, name])]);
    choices("solved", [["", "Solved or not"], ["true", "Solved"], ["false", "Not solved"], ["none", "Not verified"]]);
    choices("kept", [["", "Kept or not"], ["0", "Kept"], ["1", "Dropped"], ["-1", "Not selected yet"]]);
    let waiting = 0;
    byId("text").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 150); });
    byId("list").addEventListener("scroll", () => requestAnimationFrame(drawRows), { passive: true });
    addEventListener("resize", drawRows);
    document.addEventListener("keydown", keys);
    await search();
  } else for (const id of ["filters", "panes"]) byId(id).hidden = true;
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
  if (byId("live")) follow(index);
}

start().catch((error) => {
  byId("sections").replaceChildren(el("p", { class: "bad" }, `This page could not be drawn: ${error.message}`));
});
