// Sortable columns and "all details open when printing". The page is complete without it.
document.querySelectorAll("table.sortable").forEach((table) => {
  const hint = document.createElement("span");
  hint.className = "on-screen";
  hint.textContent = " Click a heading to sort.";
  table.caption.append(hint);
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  heads.forEach((head, column) => {
    // On paper the plain words stand in the heading: browsers leave buttons out of headings repeated on each page.
    const words = document.createElement("span");
    words.className = "on-paper";
    words.append(...head.childNodes);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "on-screen";
    button.textContent = words.textContent;
    head.append(words, button);
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const body = table.tBodies[0];
      const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
      const compare = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : Number(x) - Number(y);
        return falling ? -order : order;
      };
      body.append(...[...body.rows].sort(compare));
    });
  });
});
let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  closed.forEach((item) => { item.open = true; });
});
addEventListener("afterprint", () => closed.forEach((item) => { item.open = false; }));
