"use strict";

// Two outputs of one image under a divider that a keyboard, a mouse or a finger moves.
function comparison(root, data, lines, scores) {
  const kinds = Object.keys(data.images[0].files);
  const titles = new Map([["dark", "Compressed dark image"], ["reference", "Normal-light reference"],
    ...lines.map((line) => [`${line.chain} ${line.track}`, line.track === "released" ? `${line.title} (released)` : line.title])]);
  const own = kinds.find((kind) => kind.startsWith("mlsm ")) || kinds[kinds.length - 1];
  const state = { image: 0, left: "dark", right: own, zoom: "fit" };
  const [under, over] = ["under", "over"].map((name) => element("img", { class: name, alt: "" }));
  const line = element("div", { class: "divider" });
  const tags = ["left", "right"].map((side) => element("span", { class: `tag ${side}`, "aria-hidden": "true" }));
  const frame = element("div", { class: "frame" }, under, over, line, tags);
  const stage = element("div", { class: "stage", role: "region", tabindex: "0", "aria-label": "Pictures under comparison" }, frame);
  const range = element("input", {
    type: "range", min: "0", max: "100", value: "50", step: "1", name: "divider", "aria-label": "Position of the divider",
  });
  const caption = element("p", { class: "status", role: "status" });
  const sheet = element("div", { class: "sheet", role: "group", "aria-label": "All outputs of this image: choose the right side" });
  const [leftSelect, rightSelect] = [side("left", "Left"), side("right", "Right")];
  const names = data.images.map((image, place) => [place, `${image.dataset} ${image.image} (${image.quantile * 100} % quantile)`]);
  root.append(
    element("div", { class: "switches", role: "group", "aria-label": "Pictures to compare" },
      choice("Image", "image", names, 0, (value) => { state.image = Number(value); show(); }),
      leftSelect, rightSelect,
      choice("Zoom", "zoom", [["fit", "fit"], ["1", "1 pixel a pixel"], ["2", "2 ×"], ["4", "4 ×"]], "fit", (value) => { state.zoom = value; show(); })),
    stage, element("div", { class: "range" }, range), caption, sheet);
  range.addEventListener("input", divide);
  frame.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" && state.zoom !== "fit") return;  // a finger scrolls there
    frame.setPointerCapture(event.pointerId);
    move(event);
    event.preventDefault();
  });
  frame.addEventListener("pointermove", (event) => { if (frame.hasPointerCapture(event.pointerId)) move(event); });
  show();

  function side(name, label) {
    return choice(label, name, kinds.map((kind) => [kind, titles.get(kind) || kind]), state[name], (value) => { state[name] = value; show(); });
  }

  function move(event) {
    const box = frame.getBoundingClientRect();
    range.value = String(Math.max(0, Math.min(100, ((event.clientX - box.left) / box.width) * 100)));
    divide();
  }

  function divide() {
    over.style.clipPath = `inset(0 ${100 - range.value}% 0 0)`;
    line.style.left = `${range.value}%`;
    range.setAttribute("aria-valuetext", `${Math.round(range.value)} % ${titles.get(state.left)}, the rest ${titles.get(state.right)}`);
  }

  function show() {
    const image = data.images[state.image];
    const alt = (kind) => `${titles.get(kind)} of ${image.dataset} ${image.image}`;
    over.src = image.files[state.left];
    over.alt = `Left: ${alt(state.left)}`;
    under.src = image.files[state.right];
    under.alt = `Right: ${alt(state.right)}`;
    tags[0].textContent = titles.get(state.left);
    tags[1].textContent = titles.get(state.right);
    frame.style.width = state.zoom === "fit" ? "100%" : `${image.width * state.zoom}px`;
    frame.style.aspectRatio = `${image.width} / ${image.height}`;
    frame.classList.toggle("pixels", state.zoom !== "fit");
    rightSelect.querySelector("select").value = state.right;
    caption.textContent = `${image.dataset} ${image.image}, QF ${data.qf}. Left of the divider: ${told(image, state.left)}. Right: ${told(image, state.right)}.`;
    sheet.replaceChildren(...kinds.map((kind) => thumb(image, kind)));
    divide();
  }

  // What a side is, with its numbers where it was scored and the page holds them.
  function told(image, kind) {
    const place = lines.findIndex((line) => `${line.chain} ${line.track}` === kind);
    const values = ((scores.values || {})[image.dataset] || {})[data.qf] || {};
    const at = ((scores.names || {})[image.dataset] || []).indexOf(image.image);
    const numbers = (scores.metrics || []).filter((metric) => ["PSNR", "SSIM"].includes(metric.name))
      .filter((metric) => values[metric.name] && values[metric.name][place])
      .map((metric) => withUnit(`${metric.name} ${printed(values[metric.name][place][at], metric)}`, metric));
    return titles.get(kind) + (numbers.length ? ` (${numbers.join(", ")})` : "");
  }

  function thumb(image, kind) {
    const button = element("button", { type: "button", "aria-pressed": String(kind === state.right) },
      element("img", { src: image.files[kind], alt: "" }), element("span", {}, titles.get(kind) || kind));
    button.addEventListener("click", () => {
      state.right = kind;
      show();
      sheet.children[kinds.indexOf(kind)].focus();
    });
    return button;
  }
}

const comparisonRoot = document.getElementById("comparison");
if (comparisonRoot) comparison(comparisonRoot, embedded("samples-data"), embedded("quality-data").lines, document.getElementById("images-data") ? embedded("images-data") : {});
