// Charts: panels of curves that Vega-Lite draws, what switches them, and their numbers as text.

const night = matchMedia("(prefers-color-scheme: dark)");
const themed = []; // what has to be drawn again where light turns to dark
night.addEventListener("change", () => themed.forEach((again) => again()));

/** A point of a curve, as the charts' specifications name it. */
function point(look, x, mean, half) {
  const [low, high] = half == null ? [null, null] : [mean - half, mean + half];
  return { look, name: facts.looks[look].name, x, mean, low, high, text: score(mean, half) };
}

/** The points of one curve [means, half widths], which has a place for every step. */
function curveRows(look, [means, halves]) {
  const points = facts.steps.map((step, at) => point(look, step, means[at], halves[at]));
  return points.filter(({ mean }) => mean != null);
}

/** Says in a sentence for each curve where it begins, where it ends and where it is highest. */
function inWords(rows) {
  return [...groups(rows).values()]
    .map((curve) => {
      const [first, last] = [curve[0], curve[curve.length - 1]];
      const best = curve.reduce((most, row) => (row.mean > most.mean ? row : most), first);
      const at = ({ mean, x }) => `${score(mean)} at ${x}`;
      return `${first.name}: ${at(first)}, ${at(last)}, highest ${at(best)}.`;
    })
    .join(" ");
}

function groups(rows) {
  const found = new Map();
  for (const row of rows) found.set(row.look, [...(found.get(row.look) ?? []), row]);
  return found;
}

/** Draws charts side by side into a host: panels of { title, rows }; draws them again when called again. */
function panels(host, kind, xTitle) {
  let drawn = [];
  let shown = [];
  const grid = make("div", { class: "panels" });
  const region = { tabindex: "0", role: "region", "aria-label": "Numbers of these charts" };
  const numbers = make("div", { class: "scroll", ...region });
  const details = make("details", { class: "numbers", ontoggle: () => details.open && tabulate() });
  details.append(make("summary", {}, "Numbers as a table"), numbers);
  host.append(grid, details);

  function tabulate() {
    numbers.replaceChildren(...shown.map((panel) => numbersTable(panel, xTitle)));
  }
  function draw(list = shown) {
    shown = list;
    drawn.forEach((promise) => promise.then((result) => result.finalize()));
    drawn = [];
    grid.replaceChildren();
    if (!shown.length) grid.append(note("Nothing is switched on: tick at least one box of each row."));
    for (const { title, rows } of shown) {
      // Vega names its own element "Vega visualization", so the words are on the one around it.
      const chart = make("div", { "aria-hidden": "true" });
      const told = { class: "chart", role: "img", "aria-label": `Chart, ${title}. ${inWords(rows)}` };
      grid.append(make("figure", {}, make("figcaption", {}, title), make("div", told, chart)));
      drawn.push(embed(chart, kind, rows));
    }
    details.hidden = !shown.length;
    if (details.open) tabulate();
  }
  themed.push(() => draw());
  return draw;
}

function embed(chart, kind, rows) {
  const theme = night.matches ? "dark" : "light";
  const spec = { ...facts.specs[theme][kind], datasets: { rows } };
  return vegaEmbed(chart, spec, { mode: "vega-lite", renderer: "svg", actions: false, tooltip: { theme } });
}

function numbersTable({ title, rows }, xTitle) {
  const places = [...new Set(rows.map((row) => row.x))].sort((a, b) => a - b);
  const head = places.map((x) => make("th", { scope: "col" }, String(x)));
  const body = [...groups(rows).values()].map((curve) => {
    const texts = new Map(curve.map((row) => [row.x, row.text]));
    const cells = places.map((x) => make("td", {}, texts.get(x) ?? "–"));
    return make("tr", {}, make("th", { scope: "row", class: "text" }, curve[0].name), ...cells);
  });
  return make(
    "table",
    {},
    make("caption", {}, `${title}; columns: ${xTitle}`),
    make("thead", {}, make("tr", {}, make("th", { scope: "col", class: "text" }, "Start"), ...head)),
    make("tbody", {}, ...body),
  );
}

/** Learning curves with initialisations and shots to switch on and off; `curvesOf()` gives init -> shots -> curve. */
function learningCurves(host, kind, curvesOf) {
  const ends = [0, (facts.shots.length - 1) >> 1, facts.shots.length - 1].map((at) => facts.shots[at]);
  let starts = facts.initialisations;
  let counts = facts.shots.filter((n) => ends.includes(n));
  const describe = (name) => [swatch(name), facts.looks[name].name];
  const startBoxes = switches("Start", facts.initialisations, starts, describe, (chosen) => {
    starts = chosen;
    refresh();
  });
  const countBoxes = switches("Training images per class", facts.shots, counts, (n) => [String(n)], (chosen) => {
    counts = chosen;
    refresh();
  });
  host.append(make("div", { class: "switches" }, startBoxes, countBoxes));
  const draw = panels(host, kind, "optimiser step");
  function refresh() {
    const curves = curvesOf();
    const list = counts.map((n) => ({
      title: `${plural(n, "training image")} per class`,
      rows: starts.flatMap((start) => (curves[start]?.[n] ? curveRows(start, curves[start][n]) : [])),
    }));
    draw(list.filter(({ rows }) => rows.length));
  }
  refresh();
  return refresh;
}

function drawScores(host) {
  const titles = { first: "First: right after initialisation", best: "Best: highest while training" };
  const list = Object.entries(titles).map(([name, title]) => {
    const found = facts.table2.filter((row) => row.score === name).sort((a, b) => a.shots - b.shots);
    const rows = found.map((row) => ({ ...point(row.look, row.shots, row.mean, row.half_width), hollow: row.hollow }));
    const paper = rows.some((row) => row.hollow != null);
    return { title: title + (paper ? ` (hollow: the paper${facts.papers})` : ""), rows };
  });
  host.append(legend([...new Set(facts.table2.map((row) => row.look))]));
  panels(host, "shots", "training images per class")(list);
}

function drawNeighbours(host) {
  const list = facts.types.map((type) => {
    const found = facts.sweep.filter((row) => row.type === type);
    const rows = found.map(({ measure, K, mean, half_width, paper, clean }) => ({
      ...point(measure, K, mean, half_width),
      filled: paper ? mean : null,
      hollow: clean ? mean : null,
    }));
    const count = facts.targets.filter((target) => target.type === type).length;
    return { title: `${type[0].toUpperCase()}${type.slice(1)}: ${plural(count, "class")}`, rows };
  });
  host.append(legend(facts.measures));
  panels(host, "neighbours", "number of neighbours K")(list);
}

function legend(looks) {
  return make("ul", { class: "legend" }, ...looks.map((look) => make("li", {}, swatch(look), facts.looks[look].name)));
}
