// SPDX-License-Identifier: GPL-2.0-only
// In the page: when a key went down, and when which picture was on the screen.
window.bench = (() => {
  const places = {}, keys = [], clicks = [], said = [];
  addEventListener("keydown", () => keys.push(performance.now()), true);
  addEventListener("click", () => clicks.push(performance.now()), true);

  function comment(bytes) {  // the text chunk "Comment" of a PNG
    const view = new DataView(bytes), latin = new TextDecoder("latin1");
    for (let at = 8; at + 8 < bytes.byteLength; at += 12 + view.getUint32(at)) {
      const chunk = latin.decode(new Uint8Array(bytes, at + 4, 4 + view.getUint32(at)));
      if (chunk.startsWith("tEXtComment\0")) return chunk.slice(12);
    }
    return "";
  }

  function words(root) {
    return root.querySelector(".krcsim-words")?.textContent ?? "";
  }

  async function picture(img, root, pictures) {
    const url = img.src, one = { changed: performance.now(), shown: 0, stamp: null, words: null };
    if (pictures.length) pictures.at(-1).words ??= words(root);  // the image is set before the words
    pictures.push(one);
    const stamp = fetch(url).then((r) => r.arrayBuffer()).then(comment);  // at once: it will be revoked
    const frame = img.decode().then(() => new Promise(requestAnimationFrame));
    try { await frame; if (img.complete && img.src === url) one.shown = performance.now(); } catch {}
    try { one.stamp = await stamp; } catch { one.stamp = ""; }
  }

  const until = async (done, ms) => {
    for (const end = performance.now() + ms; performance.now() < end && !done();)
      await new Promise((next) => setTimeout(next, 5));
    return done();
  };

  return {
    keys, clicks, said, until,
    watch(name, selector) {
      const root = document.querySelector(selector), img = root.querySelector("img"), pictures = [];
      places[name] = { root, pictures };
      new MutationObserver(() => picture(img, root, pictures)).observe(img, { attributeFilter: ["src"] });
      const status = root.querySelector(".krcsim-status");
      if (status) new MutationObserver(() => said.push([performance.now(), status.textContent]))
        .observe(status, { subtree: true, childList: true, characterData: true });
    },
    count: (name) => places[name].pictures.length,
    since: (name, n) => places[name].pictures.slice(n)
      .map((one) => ({ ...one, words: one.words ?? words(places[name].root) })),
    shown: (name, n, part, ms) => until(() => places[name].pictures.slice(n)
      .some((one) => one.shown && one.stamp?.includes(part)), ms),
    state: (parts, ms) => until(() => parts.some((part) => said.at(-1)?.[1].startsWith(part)), ms),
  };
})();
