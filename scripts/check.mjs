// npm run check: installs what is missing, then runs check.ts.
import { install } from "./setup.mjs";

install();
install("tools/");
const { register } = await import("tsx/esm/api");
register();
await import("./check.ts");
