import { killedEverywhere } from "../crash/killing.ts";
import { stories } from "../crash/stories.ts";

// All stories at all points take minutes: npm run test:crash.
const told = [
  "a start that replaces another one",
  "a road, inline",
  "a road, through jobs",
  "a rescue",
];
const writes = /^after (open|turn|record|deliver|free)\b[^#]*$/;

killedEverywhere(stories.filter(({ name }) => told.includes(name)), (point) => writes.test(point));
