// npm run bench -- chain --steps 3 --workflows 20000 --compare: installs what is missing, then measures.
import process from "node:process";
import { pathToFileURL } from "node:url";
import { become, install, root } from "./setup.mjs";

install();
const stripTypes = pathToFileURL(`${root}bench/strip_types.mjs`).href;
become(["--import", stripTypes, `${root}bench/main.ts`, ...process.argv.slice(2)]);
