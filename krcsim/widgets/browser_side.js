// SPDX-License-Identifier: GPL-2.0-only
// What ipywidgets leaves out: names for screen readers, keys that stay with the control, what a
// control is for, copying, a sentence when the kernel is gone, and where the pointer is on the
// picture. And what the kernel cannot know: the theme of JupyterLab, and the room for the picture.
const SLIDER = ".noUi-handle";
const PLAY = { play: "Play the events", pause: "Pause", stop: "Back to the first event", retweet: "Play in a loop" };
const GONE = "The kernel was restarted or stopped, so nothing here moves any more. " +
  "Choose Run > Run All Cells: your setting comes back.";
const FORBIDDEN = "The browser does not let this page copy. The text is selected: press Ctrl+C.";
const ROOM_STABLE_MS = 120; // a window that is being dragged gives no picture at each pixel
const GAPS = 28; // pixels between what stands below each other, in all
const VERDICT_HIGH = 50; // two lines; with a longer one the picture keeps its size
const LEAST_HIGH = 300; // of a picture; with less room one has to scroll to it
const STAYS_MS = 60000;
const MOST_BYTES = 8e6; // of files that are dropped: Jupyter's server takes no message of 10 MB

function set(node, name, value) {
  if (value && node.getAttribute(name) !== value) node.setAttribute(name, value);
}

// ---- names and keys

function mend(root, model) {
  for (const handle of root.querySelectorAll(SLIDER)) {
    const box = handle.closest(".widget-hslider, .widget-inline-hbox");
    set(handle, "aria-label", box?.querySelector(".widget-label")?.textContent);
    set(handle, "aria-valuetext", box?.querySelector(".widget-readout")?.textContent);
  }
  for (const box of root.querySelectorAll(".krcsim-controls .widget-inline-hbox")) describe(box);
  // On the control itself: JupyterLab looks at the focused node only. Else `d d` deletes the cell.
  const focusable = `${SLIDER}, button, select, summary, .lm-TabBar-tab, .krcsim-text pre`;
  for (const control of root.querySelectorAll(focusable))
    set(control, "data-lm-suppress-shortcuts", "true");
  for (const icon of root.querySelectorAll(".widget-play i"))
    for (const [name, said] of Object.entries(PLAY))
      if (icon.classList.contains(`fa-${name}`)) set(icon.parentElement, "aria-label", said);
  for (const picture of root.querySelectorAll("img")) set(picture, "alt", model.get("alt"));
  for (const bar of root.querySelectorAll(".progress")) {
    set(bar, "role", "progressbar");
    set(bar, "aria-label", "progress");
    set(bar, "aria-valuenow", String(Math.round(parseFloat(bar.firstElementChild?.style.width) || 0)));
  }
  for (const said of root.querySelectorAll(".krcsim-status, .krcsim-copied")) set(said, "role", "status");
  for (const text of root.querySelectorAll(".krcsim-text pre, .krcsim-table .widget-html-content")) {
    set(text, "tabindex", "0"); // it can be scrolled by keys
    set(text, "role", "region");
    set(text, "aria-label", "answer");
  }
  const gone = root.classList.contains("jupyter-widgets-disconnected");
  root.querySelector(".krcsim-gone")?.toggleAttribute("hidden", !gone);
}

// ---- what a control is for: below the controls while it has the pointer or the focus

let described = 0;
function describe(box) {
  const control = box.querySelector(`${SLIDER}, select`), text = box.querySelector(".widget-label")?.title;
  if (!control || !text) return;
  let said = box.querySelector(".krcsim-said");
  if (!said) {
    said = document.createElement("span");
    Object.assign(said, { className: "krcsim-said", hidden: true, id: `krcsim-said-${Date.now()}-${described++}` });
    box.append(said);
    set(control, "aria-describedby", said.id);
  }
  if (said.textContent !== text) said.textContent = text;
}

function explain(event, root) {
  const text = event.target.closest?.(".krcsim-controls .widget-inline-hbox")?.querySelector(".krcsim-said");
  const place = root.querySelector(".krcsim-why .widget-html-content");
  if (!text || !place) return;
  const [symbol, ...purpose] = text.textContent.split(": ");
  const code = document.createElement("code");
  code.textContent = symbol;
  place.replaceChildren(code, `: ${purpose.join(": ")}`);
}

// ---- copying

function select(text) {
  const field = text.querySelector("textarea");
  if (field) {
    field.focus();
    field.select();
    return field.value;
  }
  const node = text.querySelector("pre") ?? text.querySelector(".widget-html-content") ?? text;
  node.focus();
  getSelection().selectAllChildren(node);
  return node.innerText;
}

async function copy(event) {
  const button = event.target.closest(".krcsim-copy");
  if (!button) return;
  const said = button.parentElement.querySelector(".krcsim-copied .widget-html-content");
  const text = select(button.parentElement.parentElement.querySelector(".krcsim-text"));
  said.textContent = "";
  try {
    await navigator.clipboard.writeText(text); // there is none where the page came by plain http
    said.textContent = "Copied.";
  } catch {
    said.textContent = FORBIDDEN;
  }
}

// ---- the pointer on the picture

let pointed = 0;
function point(event, model) {
  if (event.timeStamp - pointed < 60) return;
  pointed = event.timeStamp;
  const box = event.currentTarget.getBoundingClientRect();
  model.set("at", (event.clientX - box.left) / box.width);
  model.save_changes();
}

// ---- the theme, and the room for the picture

function say(model, values) {
  const news = Object.entries(values).filter(([name, value]) => String(model.get(name)) !== String(value));
  if (!news.length) return;
  for (const [name, value] of news) model.set(name, value);
  model.save_changes();
}

const theme = () => (document.body.dataset.jpThemeLight === "false" ? "dark" : "light");

const height = (root, part) => root.querySelector(part)?.offsetHeight ?? 0;
const panelOf = (root) => root.closest(".jp-WindowedPanel-outer");

// How far an explorer lies below the top of its notebook.
const depth = (root, panel) =>
  root.getBoundingClientRect().top - panel.getBoundingClientRect().top + panel.scrollTop;

// What the picture may take: its column's width, and a height with which controls, verdict and
// progress are on the notebook's first screen, or else on one screen.
function room(root) {
  const column = root.querySelector(".krcsim-right"), panel = panelOf(root);
  const width = column?.clientWidth, screen = panel?.clientHeight || innerHeight;
  if (!width) return [];
  const isBeside = column.offsetLeft > root.clientWidth / 5;
  const verdict = Math.min(height(root, ".krcsim-verdict"), VERDICT_HIGH);
  const most = screen - height(root, ".krcsim-actions") - verdict - height(root, ".krcsim-progress") - GAPS;
  const left = panel ? most - depth(root, panel) : most;
  const high = left < LEAST_HIGH ? most : left;
  return [width, Math.round(isBeside ? Math.min(high, width * 0.65) : Math.min(screen / 2, width * 0.65))];
}

// Run All Cells goes to the last cell. An explorer that was just made stays on the screen until the
// person does something.
function stay(root) {
  const panel = panelOf(root), acts = ["wheel", "pointerdown", "keydown", "touchstart"];
  if (!panel) return () => {};
  const back = () => {
    const top = depth(root, panel);
    if (panel.scrollTop > top) panel.scrollTop = top < panel.clientHeight / 2 ? 0 : top;
  };
  const end = () => {
    panel.removeEventListener("scroll", back);
    for (const act of acts) removeEventListener(act, end, true);
  };
  panel.addEventListener("scroll", back);
  for (const act of acts) addEventListener(act, end, true);
  setTimeout(end, STAYS_MS);
  back();
  return end;
}

// ---- files that are dropped: their names and bytes go to the kernel, which trusts neither

async function drop(event, model) {
  event.preventDefault();
  event.stopPropagation();
  const files = [...event.dataTransfer.files];
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (!files.length) return;
  if (size > MOST_BYTES) return model.send({ dropped: [], size });
  try {
    const buffers = await Promise.all(files.map((file) => file.arrayBuffer()));
    model.send({ dropped: files.map((file) => file.name), size }, undefined, buffers);
  } catch { // a folder
    model.send({ dropped: [], size: 0 });
  }
}

export default {
  render({ model, el }) {
    const gone = document.createElement("p");
    gone.className = "krcsim-gone";
    gone.hidden = true;
    gone.setAttribute("role", "alert");
    gone.textContent = GONE;
    el.append(gone);

    let root = null, tries = 0, watch = null, sizes = null, end = null, due = 0, asked = 0;
    const look = () => {
      clearTimeout(asked);
      asked = setTimeout(() => {
        const there = room(root);
        if (there.length) say(model, { room: there, ratio: devicePixelRatio });
      }, ROOM_STABLE_MS);
    };
    const themes = new MutationObserver(() => say(model, { theme: theme() }));
    themes.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });

    const seek = () => {
      root = el.closest(".krcsim-explorer");
      if (!root) return tries++ < 200 && setTimeout(seek, 25);
      watch = new MutationObserver(() => { // the picture goes first
        due ||= setTimeout(() => { due = 0; mend(root, model); }, 60);
      });
      watch.observe(root, { subtree: true, childList: true, characterData: true, attributes: true,
        attributeFilter: ["class", "src"] });
      sizes = new ResizeObserver(look);
      sizes.observe(root);
      addEventListener("resize", look);
      if (model.get("track"))
        root.querySelector("img")?.addEventListener("pointermove", (event) => point(event, model));
      root.addEventListener("click", copy);
      if (model.get("takes_files")) {
        root.addEventListener("dragover", (event) => event.preventDefault());
        root.addEventListener("drop", (event) => drop(event, model));
      }
      for (const what of ["focusin", "pointerover"])
        root.addEventListener(what, (event) => explain(event, root));
      say(model, { theme: theme() });
      mend(root, model);
      end = stay(root);
    };
    seek();
    const again = () => root && setTimeout(() => mend(root, model), 60);
    model.on("change:alt", again);
    return () => {
      watch?.disconnect();
      sizes?.disconnect();
      themes.disconnect();
      end?.();
      removeEventListener("resize", look);
      model.off("change:alt", again);
    };
  },
};
