// Heat maps: one cell for every target and source class, drawn from the packed similarities.

const MISSING = 65535;

/** The values of a matrix: steps of 16 bits between low and high. */
function unpack({ low, high, steps }) {
  const bytes = Uint8Array.from(atob(steps), (sign) => sign.charCodeAt(0));
  const values = new DataView(bytes.buffer);
  return (at) => {
    const step = values.getUint16(2 * at, true);
    return step === MISSING ? null : low + ((high - low) * step) / (MISSING - 1);
  };
}

function startHeatmap() {
  const body = document.getElementById("heatmap-body");
  if (!Object.keys(facts.similarities).length) {
    body.append(note("These matrices have too many cells for one page; they are in the folder similarity."));
    return;
  }
  const [rows, columns] = [facts.targets.length, facts.sources.length];
  const places = [...facts.targets.keys()];
  const order = facts.types.flatMap((type) => places.filter((at) => facts.targets[at].type === type));
  const state = { measure: facts.measures[0], row: 0, column: 0, value: null };

  const canvas = make("canvas", { tabindex: "0", role: "img", "aria-describedby": "heatmap-cell" });
  const marker = make("span", { class: "marker" });
  const names = order.map((at) => make("li", {}, facts.targets[at].label.split(",")[0]));
  const size = { "--rows": rows, "--columns": columns };
  const frame = make(
    "div",
    { class: "map", style: size },
    make("ol", { class: "rows", "aria-hidden": "true" }, ...names),
    make("div", { class: "cells" }, canvas, marker),
  );
  const cell = make("div", { class: "cell", id: "heatmap-cell", role: "status" });
  const scale = make("div", { class: "scale" });
  const choices = facts.measures.map((name) => {
    const chosen = { value: name, checked: name === state.measure, onchange: () => show(name) };
    const radio = make("input", { type: "radio", name: "measure", ...chosen });
    return make("label", { class: "switch" }, radio, facts.looks[name].name);
  });
  body.append(make("fieldset", {}, make("legend", {}, "Measure"), ...choices), cell, frame, scale);

  function show(measure) {
    state.measure = measure;
    state.value = unpack(facts.similarities[measure]);
    const size = `${plural(rows, "target class")} by ${plural(columns, "source class")}`;
    canvas.setAttribute("aria-label", `Heat map of ${facts.looks[measure].name}: ${size}`);
    paint();
    tell();
  }
  /** From the page's ground through the measure's colour to the ink. */
  function ramp() {
    const style = getComputedStyle(document.documentElement);
    const look = facts.looks[state.measure];
    const middle = night.matches ? look.dark : look.light;
    const ends = [style.getPropertyValue("--ground"), middle, style.getPropertyValue("--ink")];
    const stops = ends.map((colour) => [1, 3, 5].map((at) => parseInt(colour.trim().slice(at, at + 2), 16)));
    return (share) => {
      const lower = share < 0.6;
      const [from, to] = lower ? stops.slice(0, 2) : stops.slice(1);
      const part = lower ? share / 0.6 : ((share - 0.6) / 0.4) * 0.75;
      return from.map((start, at) => Math.round(start + (to[at] - start) * part));
    };
  }
  function paint() {
    const { low, high } = facts.similarities[state.measure];
    const colour = ramp();
    const pixels = new ImageData(columns, rows);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const value = state.value(order[row] * columns + column);
        const tint = value == null ? [128, 128, 128] : colour((value - low) / (high - low || 1));
        pixels.data.set([...tint, value == null ? 90 : 255], 4 * (row * columns + column));
      }
    canvas.width = columns;
    canvas.height = rows;
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    const steps = [0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => `rgb(${colour(share).join(" ")})`);
    const background = `linear-gradient(to right, ${steps.join(", ")})`;
    const gradient = make("span", { class: "gradient", "aria-hidden": "true", style: { background } });
    scale.replaceChildren(low.toFixed(2), gradient, high.toFixed(2));
  }
  function one({ wnid, label }, kind) {
    const words = make("p", {}, make("strong", {}, label), make("br"), faint(kind));
    return make("div", { class: "one" }, picture(wnid, label, 48), words);
  }
  function tell() {
    const [target, source] = [facts.targets[order[state.row]], facts.sources[state.column]];
    const value = state.value(order[state.row] * columns + state.column);
    cell.replaceChildren(
      one(target, target.type),
      make("p", { class: "similarity" }, value == null ? "not known" : value.toFixed(3)),
      one(source, "source"),
    );
    marker.style.setProperty("--row", state.row / rows);
    marker.style.setProperty("--column", state.column / columns);
    names.forEach((name, at) => name.classList.toggle("pointed", at === state.row));
  }
  function move(row, column) {
    state.row = Math.min(rows - 1, Math.max(0, row));
    state.column = Math.min(columns - 1, Math.max(0, column));
    tell();
  }
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const [down, across] = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
    move(Math.floor(down * rows), Math.floor(across * columns));
  });
  const open = () => openClass(facts.targets[order[state.row]].wnid, true);
  canvas.addEventListener("click", open);
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key === "Enter") open();
    else if (event.key in steps) {
      move(state.row + steps[event.key][0], state.column + steps[event.key][1]);
      marker.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else return;
    event.preventDefault();
  });
  themed.push(paint);
  show(state.measure);
}
