import { killedEverywhere } from "./killing.ts";
import { storiesOfDeadlines } from "./stories_of_deadlines.ts";
import { storiesOfWorkers } from "./stories_of_workers.ts";

killedEverywhere([...storiesOfWorkers, ...storiesOfDeadlines]);
