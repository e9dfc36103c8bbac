// Brings a page on one input of a model to life: a slider over the timesteps, values on hover and by the arrow keys,
// light and dark. Every text is put in as text; nothing is loaded, nothing is kept.
(function () {
  "use strict";

  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const by = (id) => document.getElementById(id);

  function made(name, text, kind) {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  }

  // A text of others stands in an element of its own, so that one read from the right moves nothing beside it.
  function tell(element, before, theirs, after) {
    element.replaceChildren(before, made("bdi", theirs), after);
  }

  function signed(x) {
    return x === null || x === undefined ? "–" : (x < 0 ? "−" : "+") + Math.abs(x).toPrecision(3);
  }

  function plain(x) {
    return x === null ? "–" : x.toFixed(4).replace("-", "−");
  }

  // Light and dark: as the system has it, until the button is pressed.
  const theme = by("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const nameTheme = () => { theme.textContent = isDark() ? "Light colours" : "Dark colours"; };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  system.addEventListener("change", nameTheme);
  nameTheme();

  // The words: one stop for the Tab key, the arrow keys go from one to the next.
  const words = Array.from(document.querySelectorAll("#words .word"));
  function tellWord(button) {
    const e = data.effects[Number(button.dataset.effect)];
    const methods = ["deleted", "replaced", "integrated", "shapley"].filter((method) => e[method] !== null);
    const said = methods.map((method) => (method === "shapley" ? "Shapley" : method) + " " + signed(e[method])).join(" · ");
    tell(by("word-says"), "", e.name, ": " + said);
    for (const word of words) word.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
  }
  words.forEach((button, k) => {
    button.tabIndex = k ? -1 : 0;
    button.addEventListener("pointerenter", () => tellWord(button));
    button.addEventListener("click", () => tellWord(button));
    button.addEventListener("focus", () => {
      for (const word of words) word.tabIndex = word === button ? 0 : -1;
      tellWord(button);
    });
    button.addEventListener("keydown", (event) => {
      const to = { ArrowRight: k + 1, ArrowLeft: k - 1, Home: 0, End: words.length - 1 }[event.key];
      if (to === undefined || !words[to]) return;
      event.preventDefault();
      words[to].focus();
    });
  });

  // The heat maps: where a column or a square is, in the picture's own units.
  const maps = Array.from(document.querySelectorAll("svg.map")).map((svg) => {
    const number = (name) => Number(svg.dataset[name]);
    const map = {
      svg, data: data.maps[number("map")], rows: svg.dataset.rows.split(" ").map(Number),
      left: number("left"), top: number("top"), width: number("width"), height: number("height"),
      says: svg.closest("figure").querySelector(".says"), at: null,
    };
    map.line = data.timelines[map.data.timeline];
    map.column = outline(svg, "column");
    map.square = outline(svg, "square");
    return map;
  });

  function outline(svg, kind) {
    const box = document.createElementNS(SVG, "rect");
    box.setAttribute("class", kind);
    box.setAttribute("visibility", "hidden");
    svg.appendChild(box);
    return box;
  }

  function place(box, x, y, width, height) {
    for (const [name, value] of Object.entries({ x, y, width, height })) box.setAttribute(name, String(value));
    box.setAttribute("visibility", "visible");
  }

  function tellSquare(map, row, column) {
    row = Math.max(0, Math.min(map.rows.length - 1, row));
    column = Math.max(0, Math.min(map.line.names.length - 1, column));
    map.at = [row, column];
    place(map.square, map.left + column * map.width, map.top + row * map.height, map.width, map.height);
    const unit = map.rows[row];
    const where = map.data.rows[unit] + " at timestep " + map.line.places[column] + " ";
    tell(map.says, where, map.line.names[column], ": " + plain(map.data.values[unit][column]));
  }

  for (const map of maps) {
    map.svg.setAttribute("tabindex", "0");
    map.svg.setAttribute("role", "application");
    map.svg.setAttribute("aria-roledescription", "heat map; the arrow keys go from value to value");
    const point = (event) => {
      const box = map.svg.getBoundingClientRect();
      const scale = map.svg.viewBox.baseVal.width / box.width;
      const column = Math.floor(((event.clientX - box.left) * scale - map.left) / map.width);
      const row = Math.floor(((event.clientY - box.top) * scale - map.top) / map.height);
      if (row >= 0 && row < map.rows.length && column >= 0 && column < map.line.names.length) {
        tellSquare(map, row, column);
      }
    };
    map.svg.addEventListener("pointermove", point);
    map.svg.addEventListener("pointerdown", point);
    map.svg.addEventListener("focus", () => {
      if (!map.at) tellSquare(map, 0, Math.max(0, map.line.steps.indexOf(Number(slider.value) - 1)));
    });
    map.svg.addEventListener("keydown", (event) => {
      const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
      if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const [row, column] = map.at || [0, 0];
      tellSquare(map, row + move[0], column + move[1]);
      reveal(map);
    });
  }

  // A wide map scrolls in its box: the square that was moved to has to be visible.
  function reveal(map) {
    const box = map.svg.parentElement;
    const x = map.left + map.at[1] * map.width;
    if (x - map.width < box.scrollLeft) box.scrollLeft = x - map.width;
    if (x + 2 * map.width > box.scrollLeft + box.clientWidth) box.scrollLeft = x + 2 * map.width - box.clientWidth;
  }

  // A box is a stop for the Tab key while there is something in it to scroll to.
  const scrolls = (box) => { box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1; };
  const resized = new ResizeObserver((entries) => entries.forEach((entry) => scrolls(entry.target)));
  document.querySelectorAll(".scroll[tabindex]").forEach((box) => resized.observe(box));

  // The timesteps.
  const slider = by("step");
  const rows = Array.from(document.querySelectorAll("#steps details tbody tr"));
  function showStep() {
    const k = Number(slider.value) - 1;
    const step = data.steps[k];
    tell(by("step-says"), step.place + " of " + data.total + ": ", step.token, step.known ? "" : " (unknown)");
    slider.setAttribute("aria-valuetext", step.place + " of " + data.total + ": " + step.token);
    by("answers").replaceChildren(...step.answers.map(([label, p]) => {
      const item = made("li");
      const track = made("div", undefined, "track");
      const fill = made("div", undefined, "fill");
      fill.style.width = 100 * p + "%";
      track.append(fill);
      item.append(made("bdi", label), track, made("span", (100 * p).toFixed(1) + "%", "n"));
      return item;
    }));
    by("numbers").replaceChildren(...step.numbers.map(([name, value]) => {
      const pair = made("div");
      pair.append(made("dt", name), made("dd", plain(value)));
      return pair;
    }));
    rows.forEach((row, at) => (at === k ? row.setAttribute("aria-current", "step") : row.removeAttribute("aria-current")));
    for (const map of maps) {
      const column = map.line.steps.indexOf(k);
      if (column < 0) map.column.setAttribute("visibility", "hidden");
      else place(map.column, map.left + column * map.width, map.top, map.width, map.rows.length * map.height);
    }
  }
  by("walk").hidden = false;
  by("now").hidden = false;
  slider.addEventListener("input", showStep);
  showStep();
})();
