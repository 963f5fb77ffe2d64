// Live: while somebody looks, numbers are fetched anew; what is being read stays as it is.

const PAUSE = 2000;

function told(facts, index) {
  const there = facts.funnel.funnel.tried || 0;
  const new_ones = there - index.rows.task.length;
  const stages = facts.funnel.stages.map((stage) => {
    const gone = Object.values(stage.rejected).reduce((sum, count) => sum + count, 0);
    const lost = Object.values(stage.lost).reduce((sum, count) => sum + count, 0);
    return el("li", { class: stage.state }, el("b", {}, plain(stage.stage)), el("span", {}, `${number(stage.records)} kept`),
      gone ? el("span", {}, `${number(gone)} rejected`) : null, lost ? el("span", { class: "bad" }, `${number(lost)} lost`) : null,
      el("small", {}, plain(stage.state)));
  });
  byId("live").replaceChildren(
    el("p", { class: facts.running ? "good" : "note", role: "status" }, facts.running ? "This run goes on." : "This run is not at work."),
    el("ul", { class: "stages" }, stages),
    new_ones > 0 ? el("p", {}, `${number(new_ones)} attempts came since this page was opened. `, el("a", { href: "" }, "Read them too")) : "");
}

async function follow(index) {
  let shown = "";
  for (;;) {
    if (!document.hidden) {
      try {
        const answer = await fetch(`${location.pathname}/facts.json`);
        if (!answer.ok) throw new Error(await answer.text());
        const text = await answer.text();
        if (text !== shown) {
          const facts = JSON.parse(text);
          draw(facts, index);
          told(facts, index);
          shown = text;
        }
      } catch (error) {
        byId("live").replaceChildren(el("p", { class: "bad", role: "status" }, `The factory does not answer: ${plain(error.message)}`));
        shown = "";
      }
    }
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}
