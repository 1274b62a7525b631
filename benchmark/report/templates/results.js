"use strict";

// A table of results: what it shows is chosen by switches, ranked and sorted as it stands.
const ALL = "all";

function resultTable(root, data) {
  const title = root.dataset.title;
  const cells = new Map(data.cells.map((cell) => [cell.slice(0, 5).join(), cell]));
  const filledColumns = new Set(data.cells.map((cell) => cell.slice(0, 4).join()));
  const tracks = Array.from(new Set(data.lines.map((line) => line.track)));
  const families = Array.from(new Set(data.lines.map((line) => line.family)));
  const sound = Math.max(0, data.protocols.indexOf("sound"));
  const state = {
    dataset: "0", qf: "0", protocol: String(sound), metric: ALL, family: ALL, text: "",
    tracks: new Set(tracks), intervals: true, absent: false, sort: null, direction: "",
  };
  const status = element("p", { role: "status", class: "status" });
  const holder = element("div", { class: "scroll tall", role: "region", tabindex: "0", "aria-label": title });
  const notes = element("ul", { class: "footnotes" });
  const figure = element("figure", { class: "plot" });
  root.append(switches(), status, holder, notes, figure);
  let width = 0;
  new ResizeObserver(() => { if (figure.clientWidth !== width) draw(); }).observe(root);
  show();

  function switches() {
    const set = (key) => (value) => { state[key] = value; show(); };
    const listed = (values, all) => [
      ...values.map((value, place) => [place, value]), ...(values.length > 1 ? [[ALL, all]] : [])];
    const qfs = data.qfs.map((qf) => (qf === "none" ? "uncompressed" : `QF ${qf}`));
    const search = element("input", { type: "search", name: "text", placeholder: "e.g. llflow" });
    search.addEventListener("input", () => set("text")(search.value));
    const names = data.metrics.map((metric) => metric.name);
    return element(
      "div", { class: "switches", role: "group", "aria-label": `What the table shows: ${title}` },
      choice("Test set", "dataset", listed(data.datasets, "all sets"), state.dataset, set("dataset")),
      choice("JPEG quality", "qf", listed(qfs, "all qualities"), state.qf, set("qf")),
      choice("Protocol", "protocol", listed(data.protocols, "").filter(([value]) => value !== ALL), state.protocol, set("protocol")),
      choice("Metric", "metric", [[ALL, "all metrics"], ...names.map((name, place) => [place, name])], ALL, set("metric")),
      choice("Family", "family", [[ALL, "all families"], ...families.map((name) => [name, name])], ALL, set("family")),
      element("label", {}, "Method contains", search),
      group("Weights", "tracks", tracks.map((track) => tick(track, track, true, (on) => {
        state.tracks[on ? "add" : "delete"](track);
        show();
      }))),
      group("Show", "show",
        tick("intervals", "intervals", true, set("intervals")),
        tick("rows without numbers", "absent", false, set("absent"))),
    );
  }

  function columns() {
    const some = (chosen, values) => (chosen === ALL ? values.map((_, place) => place) : [Number(chosen)]);
    const made = [];
    some(state.dataset, data.datasets).forEach((dataset) => {
      some(state.qf, data.qfs).forEach((qf) => {
        some(state.metric, data.metrics).forEach((metric) => {
          const key = [dataset, qf, state.protocol, metric].join();
          if (!filledColumns.has(key)) return;
          const of = data.lines.map((_, line) => cells.get(`${key},${line}`));
          const beside = of.some((cell) => cell && cell[9] !== null);
          made.push({ key, dataset, qf, metric: data.metrics[metric], beside });
        });
      });
    });
    return made;
  }

  function rowsOf(shown) {
    const text = state.text.trim().toLowerCase();
    return data.lines
      .map((line, place) => ({ line, cells: shown.map((column) => cells.get(`${column.key},${place}`) || null) }))
      .filter(({ line, cells: found }) => state.tracks.has(line.track)
        && (state.family === ALL || line.family === state.family)
        && line.title.toLowerCase().includes(text)
        && (state.absent || found.some((cell) => cell !== null)));
  }

  function show() {
    const shown = columns();
    const rows = rowsOf(shown);
    const total = data.lines.filter((line) => !line.absent || state.absent).length;
    sortRows(rows, shown);
    const marks = noteMarks(rows);
    holder.replaceChildren(element(
      "table", { "aria-label": title }, element("thead", {}, heads(shown)), body(rows, shown, marks)));
    notes.replaceChildren(...Array.from(marks, ([text, letter]) =>
      element("li", {}, element("sup", {}, letter), ` ${text}.`)));
    const counts = shown.map((column, place) => {
      const n = Math.max(0, ...rows.map((row) => (row.cells[place] ? row.cells[place][8] : 0)));
      return `${data.datasets[column.dataset]} ${n}`;
    });
    status.textContent = `${rows.length} of ${total} rows. Images behind each mean: `
      + `${Array.from(new Set(counts)).join(", ") || "none"}. Best bold, second underlined, of the rows shown.`;
    draw(rows, shown);
  }

  function sortRows(rows, shown) {
    if (state.sort === null) return;
    const sign = state.direction === "ascending" ? 1 : -1;
    const [kind, key] = state.sort.split("|");
    const place = shown.findIndex((column) => column.key === key);
    if (kind !== "text" && place < 0) { state.sort = null; return; }
    const value = (row) => {
      if (kind === "text") return row.line[key].toLowerCase();
      const cell = row.cells[place];
      const found = cell ? numeric(cell[kind === "value" ? 5 : 9]) : null;
      return found === null ? NaN : found;
    };
    rows.sort((a, b) => {
      const [one, other] = [value(a), value(b)];
      const empty = Number(Number.isNaN(one)) - Number(Number.isNaN(other));  // dashes stay last
      if (empty || one === other) return empty;
      return one < other ? -sign : sign;
    });
  }

  function noteMarks(rows) {
    const marks = new Map();
    rows.forEach(({ line }) => noteTexts(line).forEach((text) => {
      if (!marks.has(text)) marks.set(text, letters(marks.size));
    }));
    return marks;
  }

  function noteTexts(line) {
    const control = line.control ? ["A control that is told the reference: it has no rank"] : [];
    return [...control, ...(line.absent ? [line.absent] : line.notes)];
  }

  function letters(count) {
    return "abcdefghijklmnopqrstuvwxyz"[count % 26].repeat(Math.floor(count / 26) + 1);
  }

  function heads(shown) {
    const several = state.dataset === ALL || state.qf === ALL;
    const made = [
      head("text|title", "Method", "", "ascending"),
      head("text|order", "Order", "detail", "ascending"),
      head("text|track", "Weights", "", "ascending"),
    ];
    shown.forEach((column) => {
      const { metric } = column;
      const where = several ? `${data.datasets[column.dataset]} · ${quality(column.qf)}` : "";
      const first = metric.rises ? "descending" : "ascending";
      const text = `${metric.name} ${metric.rises ? "↑" : "↓"}`;
      made.push(head(`value|${column.key}`, text, "number", first, where));
      if (column.beside) made.push(head(`reported|${column.key}`, "paper’s", "number theirs", first, where, `the paper’s ${metric.name}`));
    });
    return element("tr", {}, made);
  }

  function quality(place) {
    return data.qfs[place] === "none" ? "uncompressed" : `QF ${data.qfs[place]}`;
  }

  function head(key, text, kind, first, where, label) {
    const button = element("button", { type: "button", "data-key": key, "aria-label": label && `${label} ${where}`.trim() },
      where ? element("small", {}, where) : "", text);
    button.addEventListener("click", () => {
      const other = first === "ascending" ? "descending" : "ascending";
      state.direction = state.sort === key && state.direction === first ? other : first;
      state.sort = key;
      show();
      holder.querySelector(`button[data-key="${key}"]`).focus();
    });
    const sorted = state.sort === key ? state.direction : null;
    return element("th", { scope: "col", class: kind || null, "aria-sort": sorted }, button);
  }

  function body(rows, shown, marks) {
    const rankOf = shown.map((column, place) => ranks(
      rows.filter((row) => !row.line.control && row.cells[place]).map((row) => row.cells[place][5]),
      column.metric));
    return element("tbody", {}, rows.map((row) => {
      const noted = noteTexts(row.line).map((text) => marks.get(text)).join(",");
      const line = element("tr", { class: row.line.chain === "mlsm" ? "own" : null },
        element("th", { scope: "row" }, row.line.title, noted ? element("sup", {}, noted) : ""),
        element("td", { class: "detail" }, row.line.order.replaceAll("+", " + ")),
        element("td", {}, row.line.track));
      shown.forEach((column, place) => line.append(...number(row, column, place, rankOf[place])));
      return line;
    }));
  }

  function number(row, column, place, rankOf) {
    const cell = row.cells[place];
    const { metric } = column;
    const rank = cell && !row.line.control ? rankOf(cell[5]) : 0;
    const text = printed(cell ? cell[5] : null, metric);
    const inner = rank ? element("span", { class: rank === 1 ? "best" : "second" }, text) : text;
    const between = cell && state.intervals && typeof cell[6] === "number" && typeof cell[7] === "number"
      ? element("small", {}, `${printed(cell[6], metric)} to ${printed(cell[7], metric)}`) : "";
    const made = [element("td", { class: "number" }, inner, between)];
    if (column.beside) {
      const apart = cell && cell[10] !== null ? element("small", {}, signed(cell[10], metric)) : "";
      made.push(element("td", { class: "number theirs" }, printed(cell ? cell[9] : null, metric), apart));
    }
    return made;
  }

  function draw(given, of) {
    const shown = of || columns();
    const rows = given || rowsOf(shown);
    width = figure.clientWidth;
    if (!shown.length || !width) { figure.replaceChildren(); return; }
    const key = (state.sort || "").split("|")[1];
    const place = Math.max(0, shown.findIndex((column) => column.key === key));
    const { metric } = shown[place];
    const dots = rows.filter((row) => row.cells[place]).map(({ line, cells: found }) => ({
      name: tracks.length > 1 && line.track === "released" ? `${line.title} (released)` : line.title,
      track: line.track,
      own: line.chain === "mlsm",
      value: numeric(found[place][5]), low: found[place][6], high: found[place][7], reported: found[place][9],
    })).filter((dot) => Number.isFinite(dot.value));
    if (!dots.length) { figure.replaceChildren(); return; }
    dots.sort((a, b) => (metric.rises ? b.value - a.value : a.value - b.value));
    const where = `${data.datasets[shown[place].dataset]}, ${quality(shown[place].qf)}, protocol ${data.protocols[state.protocol]}`;
    const told = dots.slice(0, 3).map((dot) => `${dot.name} ${withUnit(printed(dot.value, metric), metric)}`).join(", ");
    const label = `${metric.name} of ${dots.length} rows on ${where}, best first: ${told}. The table above has every number.`;
    const beside = dots.some((dot) => dot.reported !== null) ? " Hollow diamonds: the paper’s numbers." : "";
    figure.replaceChildren(
      element("figcaption", {}, element("strong", {}, `${metric.name} ${metric.rises ? "↑" : "↓"}`), ` on ${where}, best first, of the rows shown, with 95 % intervals. Squares: no weights; circles: retrained; triangles: released.${beside}`),
      dotPlot(dots, metric, width, label));
  }
}

document.querySelectorAll(".results").forEach((root) => resultTable(root, embedded(root.dataset.source)));
