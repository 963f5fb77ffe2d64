// The list of runs, which keeps itself up to date.

function ago(seconds) {
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  return "just now";
}

function line(run) {
  const stages = run.stages.map((stage) => el("li", { class: stage.complete ? "complete" : "begun" },
    el("b", {}, plain(stage.stage)), el("span", {}, number(stage.records))));
  return el("article", { class: "card run" },
    el("h2", {}, el("a", { href: `/runs/${encodeURIComponent(run.name)}` }, plain(run.name))),
    el("p", { class: run.running ? "good" : "note" }, run.running ? "goes on" : run.changed ? `last changed ${ago(Date.now() / 1000 - run.changed)}` : "nothing yet"),
    el("ul", { class: "stages" }, stages));
}

function list(runs) {
  byId("runs").replaceChildren(...(runs.length ? runs.map(line) : [el("p", { class: "note" }, "No run yet: datafactory run PIPELINE")]));
}

async function begin() {
  let shown = byId("data-runs").textContent;
  list(JSON.parse(await new Response(new Blob([Uint8Array.from(atob(shown), (sign) => sign.charCodeAt(0))]).stream()
    .pipeThrough(new DecompressionStream("gzip"))).text()));
  document.documentElement.dataset.ready = "1";
  for (;;) {
    await new Promise((done) => setTimeout(done, 2000));
    if (document.hidden) continue;
    try {
      const text = await (await fetch("/runs.json")).text();
      const inside = document.activeElement?.closest?.("#runs");
      if (text !== shown && !inside) list(JSON.parse(text));
      byId("state").textContent = "";
      shown = text;
    } catch (error) {
      byId("state").textContent = "The factory does not answer.";
    }
  }
}

begin();
