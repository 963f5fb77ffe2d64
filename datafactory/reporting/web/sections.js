// The sections of numbers; one that a run has nothing for is not there.

function section(title, ...cards) {
  const there = cards.flat().filter(Boolean);
  return there.length ? el("section", {}, el("h2", {}, title), el("div", { class: "grid" }, there)) : null;
}

function steps(funnel) {
  const top = Math.max(...Object.values(funnel.funnel), 1);
  return el("div", { class: "steps", role: "list", "aria-label": "Funnel" }, Object.entries(funnel.funnel).map(([name, count]) =>
    el("div", { class: "step", role: "listitem" }, el("i", { "aria-hidden": "true" }, share((count || 0) / top)),
      el("b", {}, number(count)), el("span", {}, name))));
}

function yields(funnel) {
  const rows = Object.entries(funnel.generators).map(([name, made]) =>
    [name, ...["made", "sound", "tried", "solved", "kept"].map((step) => number(made[step])),
      made.tried && made.solved !== null ? percent(made.solved / made.tried) : "–"]);
  const gone = funnel.stages.filter((stage) => Object.keys(stage.rejected).length).map((stage) =>
    card(`Not kept by ${stage.stage}`, bars(Object.entries(stage.rejected).map(([reason, count]) =>
      [reason, count, number(count), stage.reasons[reason]?.[0]?.reason]))));
  const lost = funnel.stages.filter((stage) => Object.keys(stage.lost).length).map((stage) =>
    card(`Lost to the infrastructure in ${stage.stage}`,
      bars(Object.entries(stage.lost).map(([what, count]) => [what, count, number(count), stage.errors[what]]))));
  const made = rows.length ? card("By generator", grid(["generator", "made", "sound", "tried", "solved", "kept", "solved of tried"], rows)) : null;
  return section("Yields", made, gone, lost);
}

function rates(index) {
  const { rows } = index;
  const tasks = new Map();
  rows.task.forEach((task, place) => {
    if (rows.reward[place] === null) return;
    const seen = tasks.get(task) || [0, 0];
    tasks.set(task, [seen[0] + (rows.reward[place] === 1), seen[1] + 1]);
  });
  const passed = [...tasks.values()].map(([solved, tried]) => solved / tried);
  return passed.length ? card("Tasks by the share of their attempts that solve them", histogram(passed, 0, 1,
    `Histogram of pass rates: mean ${percent(mean(passed))} over ${number(passed.length)} tasks`, 10),
  el("p", { class: "note" }, `mean ${percent(mean(passed))} over ${number(passed.length)} tasks`)) : null;
}

function lengths(title, values) {
  const there = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (!there.length) return null;
  const high = quantile(there, 0.99) + 1;
  const said = `half have at most ${number(quantile(there, 0.5))}, 99 % at most ${number(high - 1)}, the longest ${number(there[there.length - 1])}`;
  return card(title, histogram(there, 0, high, `Histogram of ${title}: ${said}`, Math.min(20, high)), el("p", { class: "note" }, said));
}

function kinds(index) {
  const { tasks, words } = index;
  const solved = new Map();
  index.rows.task.forEach((task, place) => {
    if (index.rows.reward[place] === null) return;
    const seen = solved.get(tasks.domain[task]) || [0, 0];
    solved.set(tasks.domain[task], [seen[0] + (index.rows.reward[place] === 1), seen[1] + 1]);
  });
  const domains = counted(tasks.domain).map(([place, count]) => {
    const [right, tried] = solved.get(place) || [0, 0];
    return [words.domain[place], count, `${number(count)} task${count === 1 ? "" : "s"}${tried ? `, ${percent(right / tried)} solved` : ""}`];
  });
  const skills = counted(tasks.skills.flat()).map(([place, count]) => [words.skill[place], count]);
  const stops = counted(index.rows.stop).map(([place, count]) => [words.stop[place], count]);
  return section("Domains and skills", domains.length ? card("Domains", bars(domains)) : null,
    skills.length ? card(`Skills (${number(skills.length)})`, bars(skills)) : null,
    stops.length ? card("How attempts ended", bars(stops)) : null);
}

function cost(spent) {
  if (!spent) return null;
  const rows = spent.teachers.map((by) => [`${by.teacher} ${by.model}`.trim(), number(by.calls), number(by.prompt_tokens),
    by.cached_share === null ? "–" : percent(by.cached_share), number(by.completion_tokens), number(by.gpu_hours), number(by.dollars)]);
  const each = spent.per_accepted;
  const said = each ? `An accepted row cost ${number(each.prompt_tokens + each.completion_tokens)} tokens and ${each.dollars.toFixed(4)} US dollars.` : "";
  return section("Cost", card("By teacher", grid(["teacher", "calls", "prompt", "cached", "completion", "GPU hours", "US dollars"], rows),
    said ? el("p", { class: "note" }, said) : null));
}

const interval = (found) => found ? `${found[0].toFixed(3)} [${found[1].toFixed(3)}, ${found[2].toFixed(3)}]` : "–";

function judged(judges) {
  return section("Judges against verdicts", judges.map((judge) => card(`${judge.rubric} by ${judge.judge}`,
    judge.calibration.length ? calibration(judge.calibration, `Calibration of ${plain(judge.judge)}`) : null,
    grid(["", "value and 95 % interval"], [["accuracy on pairs", interval(judge.pairwise_accuracy)], ["ROC AUC", interval(judge.roc_auc)],
      ["Brier score", interval(judge.brier)], ["calibration error", interval(judge.ece)]]),
    el("p", { class: "note" }, `${number(judge.attempts)} attempts at ${number(judge.tasks)} tasks. ${plain(judge.notes.join(" "))}`))));
}

function learned(facts) {
  const losses = facts.losses.map((found) => card(`Loss in ${found.stage}`, curve(found.points, `Loss from ${found.points[0][1]} to ${found.points[found.points.length - 1][1]}`),
    el("p", { class: "note" }, `${number(found.points[found.points.length - 1][0])} of ${number(found.steps)} steps, last loss ${number(found.points[found.points.length - 1][1])}`)));
  const scores = facts.evaluations.map((found) => card(`${found.model} beside ${found.base}`, grid(["group", "student", "tasks", "pass@1", "solved trials"],
    found.groups.flatMap((group) => ["base", "trained"].filter((who) => group[who]).map((who) => [`${group.by} ${group.name}`.trim(), who,
      number(group[who].tasks), interval(group[who].pass_at["1"]), `${number(group[who].solved)} of ${number(group[who].trials)}`])))));
  return section("Students", losses, scores);
}

function draw(facts, index) {
  const { rows } = index;
  byId("sections").replaceChildren(...[steps(facts.funnel), yields(facts.funnel),
    rows.task?.length ? section("Attempts in numbers", rates(index), lengths("Turns of an attempt", rows.turns),
      lengths("Characters of an attempt", rows.chars), lengths("Tokens of the student", rows.tokens)) : null,
    rows.task?.length ? kinds(index) : null, cost(facts.funnel.spent), judged(facts.judges), learned(facts)].filter(Boolean));
  const stages = facts.funnel.stages.map((stage) => `${stage.stage} ${stage.state}`).join(", ");
  byId("about").textContent = `seed ${facts.funnel.seed} · ${facts.running ? "running now" : "not running"} · ${stages}`;
}
