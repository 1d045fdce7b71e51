// The page of one generator, in a folder of files.

import {explore} from "./explore.js";
import {compile, fail, finder} from "./generator.js";
import {translate} from "./translate.js";

try {
  const about = await (await fetch("model.json")).json();
  const runtime = new URL(about.runtime, document.baseURI).href;
  const litert = await import(`${runtime}index.js`);
  await litert.loadLiteRt(runtime);
  const generate = await compile(litert, about, about.model);
  const start = (about.input === "latents" ? explore : translate)(document, about, generate);
  await start();
} catch (error) {
  fail(finder(document), error);
}
