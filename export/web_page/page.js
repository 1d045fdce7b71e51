// The page of one generator, in a folder of files.

import {explore} from "./explore.js";
import {compile, fail, finder, requireWebAssembly} from "./generator.js";
import {translate} from "./translate.js";

const $ = finder(document);

async function found(file) {
  const reply = await fetch(file);
  if (!reply.ok) throw new Error(`${file} is missing (${reply.status}). Copy the whole folder.`);
  return reply;
}

try {
  requireWebAssembly();
  const about = await (await found("model.json")).json();
  const runtime = new URL(about.runtime, document.baseURI).href;
  const litert = await import(`${runtime}index.js`);
  await litert.loadLiteRt(runtime);
  const model = new Uint8Array(await (await found(about.model)).arrayBuffer());
  const generate = await compile(litert, about, model);
  const start = (about.input === "latents" ? explore : translate)(document, about, generate);
  $("generator").disabled = false;
  await start();
} catch (error) {
  fail($, error);
}
