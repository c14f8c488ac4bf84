"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const byId = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // ── light and dark ──
  const theme = byId("theme");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  prefersDark.addEventListener("change", nameTheme);
  nameTheme();

  // ── boards: which one, and which of its rows ──
  const boards = all(".board");
  const find = byId("find");
  const showBoards = () => {
    const picked = document.querySelector('input[name="board"]:checked');
    const wanted = find.value.trim().toLowerCase();
    for (const board of boards) {
      board.hidden = Boolean(picked) && board.dataset.board !== picked.value;
      const rows = all("tbody tr", board);
      for (const row of rows) {
        row.hidden = !row.querySelector("th").textContent.toLowerCase().includes(wanted);
      }
      if (!board.hidden) {
        const left = rows.filter((row) => !row.hidden).length;
        byId("found").textContent = wanted ? `${left} of ${rows.length} models` : "";
      }
    }
  };
  for (const radio of all('input[name="board"]')) radio.addEventListener("change", showBoards);
  find.addEventListener("input", showBoards);
  showBoards();

  // ── sorting ──
  const orderOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.order ?? cell.textContent.trim();
    return { text, number: text === "" ? NaN : Number(text) };
  };
  const sortBy = (table, column, descending) => {
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => ({ row, key: orderOf(row, column) }));
    const numeric = keyed.every(({ key }) => key.text === "" || !Number.isNaN(key.number));
    keyed.sort((one, two) => {
      // Cells without a value come last, whichever way the others go.
      if ((one.key.text === "") !== (two.key.text === "")) return one.key.text === "" ? 1 : -1;
      const by = numeric ? one.key.number - two.key.number || 0 : one.key.text.localeCompare(two.key.text, "en");
      return descending ? -by : by;
    });
    body.append(...keyed.map(({ row }) => row));
  };
  for (const table of all("table[data-sortable]")) {
    for (const head of all("thead th", table)) {
      const button = head.querySelector("button.sort");
      if (!button) continue;
      button.addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        // A name or a rank is first looked for from its start, a number from the most.
        const starts = head.classList.contains("num") && head.cellIndex > 0 ? "descending" : "ascending";
        const now = was ? (was === "ascending" ? "descending" : "ascending") : starts;
        for (const other of all("thead th", table)) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", now);
        sortBy(table, head.cellIndex, now === "descending");
      });
    }
  }

  // ── copying ──
  for (const button of all("button.copy")) {
    const area = byId(button.dataset.copies);
    const said = button.parentElement.querySelector('[role="status"]');
    button.addEventListener("click", async () => {
      area.focus();
      area.select();
      let done = false;
      try {
        await navigator.clipboard.writeText(area.value);
        done = true;
      } catch {
        done = document.execCommand("copy");
      }
      said.textContent = done ? "Copied." : "Selected: copy it with your keyboard.";
    });
  }

  // ── what if ──
  const held = byId("suppositions");
  if (!held) return;
  byId("what-if-none").hidden = true;
  const { shares, uplifts, models, first } = JSON.parse(held.textContent);
  const choice = byId("what-model");
  const share = byId("what-share");
  const uplift = byId("what-uplift");
  const grid = byId("what-grid");
  const points = (value, digits = 1) =>
    value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const percent = (value) => `${Math.round(value * 1000) / 10}%`;
  const gained = (value) => `${value > 0 ? "+" : ""}${value}`;
  const make = (kind, text, more = {}) => {
    const element = document.createElement(kind);
    element.textContent = text;
    for (const [name, value] of Object.entries(more)) element.setAttribute(name, value);
    return element;
  };
  models.forEach((model, i) => choice.append(make("option", `${model.rank}  ${model.name}`, { value: i })));
  choice.value = String(first);
  share.max = shares.length;
  uplift.max = uplifts.length;
  share.value = Math.min(2, shares.length);
  uplift.value = Math.min(3, uplifts.length);

  // The first step of both sliders is nothing at all: the board as it is.
  const outcome = (model, i, j) => {
    if (i === 0 || j === 0) return { rating: model.rating, rank: model.rank, best: null, worst: null };
    const [rating, rank, best, worst] = model.cells[(i - 1) * uplifts.length + (j - 1)];
    return { rating, rank, best, worst };
  };
  const range = ({ best, worst }) =>
    best === null ? "" : best === worst ? `its interval holds only ${best}` : `its interval holds ranks ${best} to ${worst}`;

  const drawGrid = (model, i, j) => {
    const top = document.createElement("tr");
    top.append(make("th", "share \\ gain", { scope: "col" }));
    for (const value of uplifts) top.append(make("th", gained(value), { scope: "col" }));
    const head = document.createElement("thead");
    head.append(top);
    const body = document.createElement("tbody");
    shares.forEach((value, row) => {
      const line = document.createElement("tr");
      line.append(make("th", percent(value), { scope: "row" }));
      uplifts.forEach((_, column) => {
        const { rank, rating } = outcome(model, row + 1, column + 1);
        const cell = make("td", `${rank}`);
        cell.append(make("small", `${points(rating, 0)}`));
        if (row + 1 === i && column + 1 === j) cell.className = "chosen";
        line.append(cell);
      });
      body.append(line);
    });
    grid.replaceChildren(make("caption", `Rank, and below it the rating, of ${model.name}`), head, body);
  };

  const supposeIt = () => {
    const model = models[Number(choice.value)];
    const i = Number(share.value);
    const j = Number(uplift.value);
    const then = outcome(model, i, j);
    const shareText = percent(i ? shares[i - 1] : 0);
    const upliftText = gained(j ? uplifts[j - 1] : 0);
    byId("what-share-value").textContent = shareText;
    byId("what-uplift-value").textContent = upliftText;
    share.setAttribute("aria-valuetext", shareText);
    uplift.setAttribute("aria-valuetext", `${upliftText} points`);
    const moved = then.rating - model.rating;
    byId("what-rank").textContent = `Rank ${model.rank} → ${then.rank}`;
    byId("what-rank-aside").textContent = range(then);
    byId("what-rating").textContent = `${points(model.rating)} → ${points(then.rating)}`;
    byId("what-rating-aside").textContent = `${moved < 0 ? "−" : "+"}${points(Math.abs(moved))} rating points`;
    drawGrid(model, i, j);
  };
  for (const control of [choice, share, uplift]) control.addEventListener("input", supposeIt);
  supposeIt();
})();
