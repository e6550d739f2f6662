import { killedEverywhere } from "./killing.ts";
import { storiesOfWorkers } from "./stories_of_workers.ts";

killedEverywhere(storiesOfWorkers);
