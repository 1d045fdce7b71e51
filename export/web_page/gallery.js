// The page of several generators: what each needs is loaded when it comes into view.

const {runtime, entries} = JSON.parse(document.getElementById("controls:about").textContent);

// What the scripts beside the page hold, by its hash: a page that is opened as a file can load
// scripts from there, and nothing else.
self.held = {};
const loaded = new Map();

function load(file) {
  if (!loaded.has(file)) {
    loaded.set(file, new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = file;
      element.onload = resolve;
      element.onerror = () =>
        reject(new Error(`${file} could not be loaded. Keep the folder beside this page.`));
      document.head.append(element);
    }));
  }
  return loaded.get(file);
}

/** The bytes of a part: packed with gzip, in base64. */
async function unpacked({file, key}) {
  await load(file);
  if (!(key in held)) {
    throw new Error(`${file} is of another page. Copy this page and its folder together.`);
  }
  const packed = Uint8Array.from(atob(held[key]), (c) => c.charCodeAt(0));
  delete held[key];
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const script = (content) => URL.createObjectURL(new Blob([content], {type: "text/javascript"}));

async function start() {
  const index = new TextDecoder().decode(await unpacked(runtime.index));
  const utilities = script(await unpacked(runtime.utilities));
  const litert = await import(script(index.replace("./wasm_utils.js", utilities)));
  // LiteRT.js hands what it finds here to its loader, which then fetches nothing.
  self.Module = {wasmBinary: await unpacked(runtime.wasm)};
  // It takes an address that ends so as that of the loader itself, not of its folder.
  await litert.loadLiteRt(`${script(await unpacked(runtime.loader))}#.js`);
  return litert;
}

let started;

/** A function to what runs a generator, which is compiled when it is first called. */
function lazily(about) {
  let ready;
  const open = async () => {
    requireWebAssembly();
    const litert = await (started ??= start());
    return compile(litert, about, await unpacked(about.model));
  };
  return () => (ready ??= open());
}

const style = new CSSStyleSheet();
style.replaceSync(document.querySelector("style").textContent);

const starts = new Map();
const seen = new IntersectionObserver((entries) => {
  for (const {isIntersecting, target} of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    starts.get(target)();
  }
});

for (const about of entries) {
  const place = document.getElementById(about.place);
  // A tree of its own, in which the names of elements are its own too.
  const root = place.attachShadow({mode: "open"});
  root.adoptedStyleSheets = [style];
  root.append(document.getElementById(`controls:${about.input}`).content.cloneNode(true));
  const $ = finder(root), compiled = lazily(about);
  const controls = about.input === "latents" ? explore : translate;
  const drawFirst = controls(root, about, async (...inputs) => (await compiled())(...inputs));
  starts.set(place, async () => {
    try {
      await compiled();
      $("generator").disabled = false;
      await drawFirst();
    } catch (error) {
      fail($, error);
    }
  });
  seen.observe(place);
}

// A picture that is dropped beside its place would otherwise open instead of this page.
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => event.preventDefault());
}
