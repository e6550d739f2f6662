// npm run bench -- chain --steps 3 --workflows 20000 --compare: installs what is missing, then measures.
import process from "node:process";
import { become, install, root } from "./setup.mjs";

install();
become(["--import", "tsx", `${root}bench/main.ts`, ...process.argv.slice(2)]);
