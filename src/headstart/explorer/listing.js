// The table of all target classes: sorted by a click on a column's name, searched by a word.

function startListing() {
  const [measure] = facts.measures;
  const state = { measure, shots: facts.shots.at(-1), step: 0, search: "", column: "", falling: false };
  const change = (key, as = String) => (value) => {
    state[key] = as(value);
    fill();
  };
  const typed = () => change("search")(search.value);
  const search = make("input", { type: "search", id: "search", autocomplete: "off", oninput: typed });
  const measures = facts.measures.map((name) => [name, facts.looks[name].name]);
  const shots = facts.shots.map((n) => [n, `${plural(n, "image")} per class`]);
  const steps = facts.steps.map((step) => [step, step === 0 ? "0 (first)" : String(step)]);
  document.getElementById("listing-bar").append(
    make("label", { class: "field" }, "Search ", search),
    chooser("Nearest source by", measures, state.measure, change("measure")),
    chooser("F with", shots, state.shots, change("shots", Number)),
    chooser("at step", steps, state.step, change("step", Number)),
  );

  const table = document.getElementById("listing-table");
  const caption = make("caption", {});
  const [head, body] = [make("tr", {}), make("tbody", {})];
  table.append(caption, make("thead", {}, head), body);

  /** Every column: its name, the value it is sorted by, and whether that is a number. */
  function columns() {
    const trained = facts.initialisations.filter((name) => facts.macro[name]?.[state.shots]);
    return [
      { name: "Class", value: (target) => target.label },
      { name: "Type", value: (target) => target.type },
      { name: "Images", value: (target) => target.images, digits: 0 },
      { name: "Nearest source", value: (target) => nearestTo(target)?.label ?? "" },
      { name: "Similarity", value: (target) => nearestTo(target)?.value ?? null, digits: 3 },
      ...trained.map((look) => ({
        name: facts.looks[look].name,
        look,
        value: (target) => scoreOf(target, look),
        digits: 3,
      })),
    ];
  }
  function nearestTo(target) {
    const near = facts.nearest[state.measure][facts.targets.indexOf(target)][0];
    return near && { label: facts.sources[near[0]].label, value: near[1] };
  }
  function scoreOf(target, name) {
    const [means] = facts.scores[target.wnid]?.[name]?.[state.shots] ?? [[]];
    return means[facts.steps.indexOf(state.step)] ?? null;
  }

  function heading({ name, look, digits }) {
    const sorted = state.column === name;
    const click = () => {
      state.falling = sorted ? !state.falling : digits != null;
      state.column = name;
      fill();
      [...head.querySelectorAll("button")].find((button) => button.dataset.column === name).focus();
    };
    const sign = sorted ? (state.falling ? "▼" : "▲") : "⇅";
    const arrow = make("span", { "aria-hidden": "true", class: "arrow" }, sign);
    const attributes = { type: "button", "data-column": name, onclick: click };
    const button = make("button", attributes, look ? swatch(look) : null, name, arrow);
    const direction = sorted ? (state.falling ? "descending" : "ascending") : "none";
    return make("th", { scope: "col", "aria-sort": direction, class: digits == null ? "text" : "" }, button);
  }
  function row(target, list) {
    const [, ...rest] = list;
    const click = () => openClass(target.wnid, true);
    const open = make("button", { type: "button", class: "link", onclick: click }, target.label);
    const cells = rest.map(({ value, digits }) => {
      const found = value(target);
      if (digits == null) return make("td", { class: "text" }, found);
      return make("td", {}, found == null ? "–" : found.toFixed(digits));
    });
    const shown = target.wnid === explorer.wnid;
    const head = make("th", { scope: "row", class: "text" }, open);
    return make("tr", { "aria-current": shown ? "true" : null }, head, ...cells);
  }
  function compare(a, b) {
    if (a == null || b == null) return (a == null) - (b == null);
    const order = typeof a === "number" ? a - b : a.localeCompare(b, "en");
    return state.falling ? -order : order;
  }
  function fill() {
    const list = columns();
    const words = state.search.trim().toLowerCase();
    const worded = list.filter(({ digits }) => digits == null);
    const texts = (target) => [target.wnid, ...worded.map(({ value }) => value(target))];
    const found = facts.targets.filter((target) => texts(target).join("\n").toLowerCase().includes(words));
    const by = list.find(({ name }) => name === state.column);
    if (by) found.sort((a, b) => compare(by.value(a), by.value(b)));
    caption.textContent =
      `F of each class at step ${state.step} with ${plural(state.shots, "training image")} per class, ` +
      `mean over ${plural(facts.seeds, "seed")}; nearest source by ${facts.looks[state.measure].name}`;
    head.replaceChildren(...list.map(heading));
    body.replaceChildren(...found.map((target) => row(target, list)));
    const count = `${found.length} of ${plural(facts.targets.length, "class")}`;
    const none = `${count}: none has “${state.search.trim()}” in it`;
    document.getElementById("listing-count").textContent = found.length ? count : none;
  }
  explorer.opened.push(fill);
  fill();
}
