// npm run test:soak -- --minutes 10: installs what is missing, then works for a long time and
// watches what grows.
import process from "node:process";
import { become, install, root } from "./setup.mjs";

install();
become(["--expose-gc", "--import", "tsx", `${root}test/soak/main.ts`, ...process.argv.slice(2)]);
