import { killedEverywhere } from "./killing.ts";
import { storiesOfCallers } from "./stories_of_callers.ts";

killedEverywhere(storiesOfCallers);
