// SPDX-License-Identifier: GPL-2.0-only
// What ipywidgets leaves out: names for screen readers, keys that stay with the slider, a sentence
// when the kernel is gone, and where the pointer is on the picture.
const SLIDER = ".noUi-handle";
const PLAY = { play: "Play the events", pause: "Pause", stop: "Back to the first event", retweet: "Play in a loop" };

function set(node, name, value) {
  if (value && node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function mend(root, model) {
  for (const handle of root.querySelectorAll(SLIDER)) {
    const box = handle.closest(".widget-hslider, .widget-inline-hbox");
    const label = box?.querySelector(".widget-label")?.textContent;
    set(handle, "aria-label", label);
    set(handle, "aria-valuetext", box?.querySelector(".widget-readout")?.textContent);
  }
  // On the control itself: JupyterLab looks at the focused node only. Else `d d` deletes the cell.
  for (const control of root.querySelectorAll(`${SLIDER}, button, select`))
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
  for (const said of root.querySelectorAll(".krcsim-status")) set(said, "role", "status");
  const gone = root.classList.contains("jupyter-widgets-disconnected");
  root.querySelector(".krcsim-gone")?.toggleAttribute("hidden", !gone);
}

let pointed = 0;
function point(event, model) {
  if (event.timeStamp - pointed < 60) return;
  pointed = event.timeStamp;
  const box = event.currentTarget.getBoundingClientRect();
  model.set("at", (event.clientX - box.left) / box.width);
  model.save_changes();
}

export default {
  render({ model, el }) {
    const gone = document.createElement("p");
    gone.className = "krcsim-gone";
    gone.hidden = true;
    gone.setAttribute("role", "alert");
    gone.textContent = "The kernel was restarted or stopped, so nothing here moves any more. " +
      "Choose Run > Run All Cells: your setting comes back.";
    const style = document.createElement("style");
    style.textContent = `
      .krcsim-explorer .jupyter-widgets-disconnected::before,
      .krcsim-explorer.jupyter-widgets-disconnected::before { display: none !important; }
      .krcsim-explorer img { max-width: 100%; height: auto !important; object-fit: contain; }
      .krcsim-explorer .widget-html-content { line-height: 1.35; }
      .krcsim-explorer .krcsim-why { margin: -3px 0 2px 1em; height: auto; min-height: 0; }
      .krcsim-explorer .krcsim-why .widget-html-content { font-size: 10.5px; line-height: 1.1; }
      .krcsim-explorer .widget-dropdown { margin-bottom: 6px !important; }
      .krcsim-explorer .widget-inline-hbox, .krcsim-explorer .widget-box { max-width: 100%; }
      [data-jp-theme-light="false"] .krcsim-explorer select { color-scheme: dark; appearance: auto; background-image: none; }
      .krcsim-explorer .krcsim-left { width: 25.5em; flex: 0 1 auto; }
      .krcsim-explorer .krcsim-right { align-self: flex-start; position: sticky; top: 0; }
      .krcsim-right .widget-hbox { flex-wrap: wrap; }
      .krcsim-right .widget-hbox > .widget-inline-hbox:not(.widget-play) { flex: 1 1 16em; }
      .krcsim-explorer code { white-space: pre-wrap; }
      .krcsim-explorer textarea { font-family: var(--jp-code-font-family, monospace); }
      .krcsim-explorer :focus-visible { outline: 2px solid FOCUS_COLOUR; outline-offset: 1px; }
      .krcsim-gone { border: 2px solid GONE_COLOUR; padding: 4px 8px; }`;
    el.append(style, gone);
    let root = null, tries = 0, watch = null;
    const seek = () => {
      root = el.closest(".krcsim-explorer");
      if (!root) return tries++ < 200 && setTimeout(seek, 25);
      let due = 0;  // the picture goes first
      watch = new MutationObserver(() => {
        due ||= setTimeout(() => { due = 0; mend(root, model); }, 60);
      });
      watch.observe(root, { subtree: true, childList: true, characterData: true, attributes: true,
        attributeFilter: ["class", "src"] });
      if (model.get("track"))
        root.querySelector("img")?.addEventListener("pointermove", (event) => point(event, model));
      mend(root, model);
    };
    seek();
    const again = () => root && setTimeout(() => mend(root, model), 60);
    model.on("change:alt", again);
    return () => { watch?.disconnect(); model.off("change:alt", again); };
  },
};
