// npm run example onboarding: installs what is missing, then runs an example.
import { existsSync, readdirSync } from "node:fs";
import process from "node:process";
import { become, install, root } from "./setup.mjs";

const [name, ...args] = process.argv.slice(2);
const names = readdirSync(`${root}examples`).filter((name) =>
  existsSync(`${root}examples/${name}/main.ts`)
);
if (!names.includes(name)) {
  console.error(`Cannot run example "${name ?? ""}": there are ${names.join(", ")}`);
  process.exit(2);
}
install();
become(["--import", import.meta.resolve("tsx"), `${root}examples/${name}/main.ts`, ...args]);
