// Elements, numbers and names: what the parts of the page share.

const facts = JSON.parse(document.getElementById("facts").textContent);
const targetOf = new Map(facts.targets.map((target) => [target.wnid, target]));

/** Makes an element; attributes named on… are listeners, children texts or elements. Text never becomes markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, part] of Object.entries(value)) element.style.setProperty(key, part);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** The colours of an initialisation or measure, for the style sheet to choose from. */
function colours(look) {
  return { "--light": facts.looks[look].light, "--dark": facts.looks[look].dark };
}

function note(text) {
  return make("p", { class: "note" }, text);
}

function faint(text) {
  return make("span", { class: "faint" }, text);
}

function plural(count, word) {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : word.endsWith("s") ? "es" : "s"}`;
}

function score(value, half = null) {
  if (value == null) return "–";
  return value.toFixed(3) + (half == null ? "" : ` ± ${half.toFixed(3)}`);
}

/** A line with the dashes and the marker of an initialisation, as charts draw it. */
function swatch(look) {
  const space = "http://www.w3.org/2000/svg";
  const { dashes, marker, hollow } = facts.looks[look];
  const image = document.createElementNS(space, "svg");
  const draw = (tag, attributes) => {
    const part = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
    image.append(part);
  };
  const shapes = {
    o: "M14 6m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
    s: "M10.4 2.4h7.2v7.2h-7.2z",
    "^": "M14 1.5l4.6 8h-9.2z",
    D: "M14 1l4 5l-4 5l-4 -5z",
    X: "M12.5 2h3v2.5h2.5v3h-2.5v2.5h-3v-2.5h-2.5v-3h2.5z",
    v: "M14 10.5l4.6 -8h-9.2z",
    "<": "M9.5 6l8 -4.6v9.2z",
    ">": "M18.5 6l-8 -4.6v9.2z",
    d: "M14 1l2.5 5l-2.5 5l-2.5 -5z",
    p: "M14 1.2L18.6 4.5L16.8 9.9L11.2 9.9L9.4 4.5z",
    h: "M14 1.2L18.2 3.6L18.2 8.4L14 10.8L9.8 8.4L9.8 3.6z",
    H: "M9.2 6L11.6 1.8L16.4 1.8L18.8 6L16.4 10.2L11.6 10.2z",
    P: "M12.3 1.2L15.7 1.2L15.7 4.3L18.8 4.3L18.8 7.7L15.7 7.7L15.7 10.8L12.3 10.8L12.3 7.7L9.2 7.7L9.2 4.3L12.3 4.3z",
    "8": "M12.1 1.2L15.9 1.2L18.8 4.1L18.8 7.9L15.9 10.8L12.1 10.8L9.2 7.9L9.2 4.1z",
    "*": "M14 1.2L15.1 4.5L18.6 4.5L15.7 6.6L16.8 9.9L14 7.8L11.2 9.9L12.3 6.6L9.4 4.5L12.9 4.5z",
    "+": "M13.4 1.2L14.6 1.2L14.6 5.4L18.8 5.4L18.8 6.6L14.6 6.6L14.6 10.8L13.4 10.8L13.4 6.6L9.2 6.6L9.2 5.4L13.4 5.4z",
    "|": "M13.3 1.2L14.7 1.2L14.7 10.8L13.3 10.8z",
    "1": "M13.4 6L13.4 10.8L14.6 10.8L14.6 6L18.5 4.1L17.9 3.1L14 5.3L10.1 3.1L9.5 4.1z",
    "2": "M13.4 6L13.4 1.2L14.6 1.2L14.6 6L18.5 7.9L17.9 8.9L14 6.7L10.1 8.9L9.5 7.9z",
    "_": "M9.2 5.3L18.8 5.3L18.8 6.7L9.2 6.7z",
  };
  for (const [name, value] of [["viewBox", "0 0 28 12"], ["class", "swatch"], ["aria-hidden", "true"]])
    image.setAttribute(name, value);
  for (const [name, value] of Object.entries(colours(look))) image.style.setProperty(name, value);
  draw("path", { d: "M0 6h28", "stroke-dasharray": dashes.map((part) => 2 * part).join(" ") });
  draw("path", { d: shapes[marker], class: hollow ? "hollow" : "full" });
  return image;
}

/** The first picture of a class, or a place that says there is none. */
function picture(wnid, label, size) {
  const [first] = facts.pictures[wnid] ?? [];
  const attributes = { class: "picture", width: size, height: size };
  if (first) return make("img", { ...attributes, src: first, alt: `A picture of ${label}` });
  return make("span", { class: "picture absent", style: { "--size": `${size}px` } }, "no picture");
}

/** A group of check boxes; calls back with the names that are on. */
function switches(legend, names, on, describe, changed) {
  const boxes = names.map((name) => {
    const box = make("input", { type: "checkbox", value: name, checked: on.includes(name), onchange: tell });
    return { name, box, label: make("label", { class: "switch" }, box, ...describe(name)) };
  });
  const chosen = () => boxes.filter(({ box }) => box.checked).map(({ name }) => name);
  function tell() {
    changed(chosen());
  }
  return make("fieldset", {}, make("legend", {}, legend), ...boxes.map(({ label }) => label));
}

/** A labelled list to choose one of [value, text] from. */
function chooser(label, options, chosen, changed) {
  const list = options.map(([value, text]) => make("option", { value, selected: value === chosen }, text));
  const select = make("select", { onchange: () => changed(select.value) }, ...list);
  return make("label", { class: "field" }, `${label} `, select);
}
