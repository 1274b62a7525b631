"use strict";

// Small things that every other script uses, and the switch between light and dark.
function element(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function shape(tag, attributes, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(node, attributes, children) {
  Object.entries(attributes || {}).forEach(([name, value]) => {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  });
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== ""));
  return node;
}

function embedded(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

// A labelled select; options are [value, text] pairs.
function choice(label, name, options, chosen, changed) {
  const made = options.map(([value, text]) =>
    element("option", { value, selected: String(value) === String(chosen) && "" }, text));
  const select = element("select", { name }, made);
  select.addEventListener("change", () => changed(select.value));
  return element("label", {}, label, select);
}

function tick(label, name, checked, changed) {
  const box = element("input", { type: "checkbox", name, checked: checked && "" });
  box.addEventListener("change", () => changed(box.checked));
  return element("label", { class: "tick" }, box, " ", label);
}

function group(legend, name, ...children) {
  const title = element("legend", {}, legend);
  return element("fieldset", { class: "ticks", "data-name": name }, title, children);
}

const themeButton = document.getElementById("theme");
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : prefersDark.matches;
}

function nameTheme() {
  themeButton.textContent = isDark() ? "Light page" : "Dark page";
}

themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
prefersDark.addEventListener("change", nameTheme);
nameTheme();
