"use strict";

// One method against another, image by image, those it loses most on first.
const MOST_IMAGES = 200;

function explorer(root, data, lines) {
  const datasets = Object.keys(data.values);
  const state = { dataset: datasets[0], qf: "", metric: "", first: "", second: "" };
  const form = element("div", { class: "switches", role: "group", "aria-label": "What is compared image by image" });
  const status = element("p", { role: "status", class: "status" });
  const holder = element("div", { class: "scroll tall", role: "region", tabindex: "0", "aria-label": "Images, worst first" });
  const figure = element("figure", { class: "plot" });
  root.append(form, status, element("div", { class: "two" }, figure, holder));
  show();

  function kept(wanted, options, otherwise) {
    return options.includes(wanted) ? wanted : otherwise;
  }

  function show() {
    const qfs = Object.keys(data.values[state.dataset]).sort((a, b) => (Number(b) || 0) - (Number(a) || 0));
    state.qf = kept(state.qf, qfs, qfs[0]);
    const byMetric = data.values[state.dataset][state.qf];
    const metrics = data.metrics.map((one) => one.name).filter((one) => one in byMetric);
    state.metric = kept(state.metric, metrics, metrics[0]);
    const values = byMetric[state.metric];
    const places = Object.keys(values).sort((a, b) => a - b);
    const own = places.find((place) => lines[place].chain === "mlsm") || places[0];
    const rivals = places.filter((place) => place !== own && !lines[place].control);
    const mean = (place) => values[place].reduce((sum, value) => sum + (numeric(value) || 0), 0);
    const metric = data.metrics.find((one) => one.name === state.metric);
    const sign = metric.rises ? -1 : 1;
    const best = rivals.sort((a, b) => sign * (mean(a) - mean(b)))[0] || own;
    state.first = kept(state.first, places, own);
    state.second = kept(state.second, places, best);
    const set = (key) => (value) => { state[key] = value; show(); form.querySelector(`[name="${key}"]`).focus(); };
    const named = places.map((place) => [place, name(place)]);
    form.replaceChildren(
      choice("Test set", "dataset", datasets.map((one) => [one, one]), state.dataset, set("dataset")),
      choice("JPEG quality", "qf", qfs.map((qf) => [qf, qf === "none" ? "uncompressed" : `QF ${qf}`]), state.qf, set("qf")),
      choice("Metric", "metric", metrics.map((one) => [one, one]), state.metric, set("metric")),
      choice("Method", "first", named, state.first, set("first")),
      choice("Against", "second", named, state.second, set("second")));
    compare(metric, values);
  }

  function name(place) {
    const line = lines[place];
    return line.track === "classical" ? line.title : `${line.title} (${line.track})`;
  }

  function compare(metric, values) {
    const images = data.names[state.dataset];
    const sign = metric.rises ? 1 : -1;
    const points = images.map((image, place) => ({
      image, first: numeric(values[state.first][place]), second: numeric(values[state.second][place]),
    })).filter((point) => Number.isFinite(point.first) && Number.isFinite(point.second));
    points.sort((a, b) => sign * (a.first - a.second - b.first + b.second));
    const wins = points.filter((point) => sign * (point.first - point.second) > 0).length;
    const gap = points.reduce((sum, point) => sum + point.first - point.second, 0) / (points.length || 1);
    const names = [name(state.first), name(state.second)];
    const told = `${names[0]} is better than ${names[1]} on ${wins} of ${points.length} images; mean difference ${withUnit(signed(gap, metric), metric)}.`;
    status.textContent = told + (points.length > MOST_IMAGES ? ` The first ${MOST_IMAGES} are listed.` : "");
    figure.replaceChildren(...(points.length ? [
      scatter(points, metric, names, figure.clientWidth || 320, `${metric.name} of every image: ${told}`),
      element("figcaption", {}, `${metric.name}, a dot an image; above the line: ${metric.rises ? names[0] : names[1]} is better.`)] : []));
    const heads = ["Image", ...names, "Difference"].map((text, place) =>
      element("th", { scope: "col", class: place ? "number" : null }, text));
    const rows = points.slice(0, MOST_IMAGES).map((point) => element("tr", {},
      element("th", { scope: "row" }, point.image),
      ...[printed(point.first, metric), printed(point.second, metric), signed(point.first - point.second, metric)]
        .map((text) => element("td", { class: "number" }, text))));
    holder.replaceChildren(element("table", { "aria-label": "Images, worst first" },
      element("thead", {}, element("tr", {}, heads)), element("tbody", {}, rows)));
  }
}

const explorerRoot = document.getElementById("explorer");
if (explorerRoot) explorer(explorerRoot, embedded("images-data"), embedded("quality-data").lines);
