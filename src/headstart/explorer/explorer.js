// The class explorer: one target class, its pictures, its nearest sources and its F through training.

const explorer = { wnid: facts.targets[0].wnid, opened: [] };

/** Shows a class; with `go`, also brings the explorer into view. */
function openClass(wnid, go = false) {
  if (!targetOf.has(wnid)) return;
  explorer.wnid = wnid;
  document.getElementById("class").value = wnid;
  history.replaceState(null, "", `#${wnid}`);
  explorer.opened.forEach((tell) => tell(targetOf.get(wnid)));
  if (go) {
    document.getElementById("explorer").scrollIntoView();
    document.getElementById("class").focus({ preventScroll: true });
  }
}

function startExplorer() {
  const select = document.getElementById("class");
  const inOrder = facts.types.flatMap((type) => facts.targets.filter((target) => target.type === type));
  for (const type of facts.types) {
    const own = inOrder.filter((target) => target.type === type);
    const options = own.map(({ wnid, label }) => make("option", { value: wnid }, label));
    select.append(make("optgroup", { label: type }, ...options));
  }
  const step = (by) => {
    const at = inOrder.findIndex((target) => target.wnid === explorer.wnid);
    openClass(inOrder[(at + by + inOrder.length) % inOrder.length].wnid);
  };
  select.addEventListener("change", () => openClass(select.value));
  document.getElementById("previous").addEventListener("click", () => step(-1));
  document.getElementById("next").addEventListener("click", () => step(1));

  const about = make("div", {});
  const curves = make("div", {}, make("h4", {}, "F of this class through training"));
  document.getElementById("card").append(about, curves);
  let refresh = () => {};
  explorer.opened.push((target) => {
    about.replaceChildren(...describe(target));
    document.getElementById("said").textContent = `Showing ${target.label}`;
    refresh();
  });
  const asked = location.hash.slice(1);
  explorer.wnid = targetOf.has(asked) ? asked : inOrder[0].wnid;
  select.value = explorer.wnid;
  about.replaceChildren(...describe(targetOf.get(explorer.wnid)));
  refresh = learningCurves(curves, "class", () => facts.scores[explorer.wnid] ?? {});
  addEventListener("hashchange", () => openClass(location.hash.slice(1), true));
  if (targetOf.has(asked)) document.getElementById("explorer").scrollIntoView();
}

function describe({ wnid, label, gloss, type, related, images }) {
  const more = related.length > 4 ? [`${related.length - 4} more`] : [];
  const relation = { included: "a kind of ", inclusive: "embraces ", disjoint: "no source above or below it" }[type];
  const kin = `${type}: ${relation}${[...related.slice(0, 4), ...more].join("; ")}`;
  const pictures = (facts.pictures[wnid] ?? []).map((src, at) => {
    const alt = `Picture ${at + 1} of ${label}`;
    return make("li", {}, make("img", { class: "picture", src, width: 96, height: 96, alt }));
  });
  return [
    make("h3", { id: "card-title" }, label),
    make("p", { class: "facts" }, gloss, make("br"), faint(`${kin} · ${plural(images, "image")} · ${wnid}`)),
    pictures.length
      ? make("ul", { class: "strip", "aria-label": `Pictures of ${label}` }, ...pictures)
      : note("This page holds no picture of this class."),
    make("h4", {}, "Nearest source classes"),
    make("div", { class: "measures" }, ...facts.measures.map((measure) => nearestOf(wnid, measure))),
    make("p", { class: "hint" }, facts.sample),
  ];
}

/** The nearest sources of a class under one measure: pictures, similarities, ties, and what the paper names. */
function nearestOf(wnid, measure) {
  const target = targetOf.get(wnid);
  const near = facts.nearest[measure][facts.targets.indexOf(target)];
  const chosen = facts.sweep.find((row) => row.measure === measure && row.type === target.type && row[facts.rule]);
  const known = chosen ? `Blends K = ${chosen.K} for ${target.type} classes.` : "";
  const most = Math.max(...near.map(([, value]) => value), 0) || 1;
  const items = near.map(([place, value, ties]) => {
    const source = facts.sources[place];
    const tied = ties > 1 ? faint(` tied with ${plural(ties - 1, "other")}`) : null;
    return make(
      "li",
      {},
      picture(source.wnid, source.label, 56),
      make(
        "div",
        {},
        make("span", { class: "name" }, source.label),
        make("span", { class: "meter", style: { "--share": `${(100 * value) / most}%` } }),
        make("span", { class: "value" }, value.toFixed(3), tied),
      ),
    );
  });
  const paper = target.published[measure];
  return make(
    "section",
    { class: "measure", style: colours(measure), "aria-label": facts.looks[measure].name },
    make("h5", {}, facts.looks[measure].name),
    make("p", { class: "hint" }, known),
    near.length
      ? make("ol", { class: "near" }, ...items)
      : note("No source is similar at all: the class starts from a random row."),
    paper ? make("p", { class: "paper" }, `The paper names ${paper}.`) : null,
  );
}
