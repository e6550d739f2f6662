import { killedEverywhere } from "./killing.ts";
import { storiesOfUndos } from "./stories_of_undos.ts";

killedEverywhere(storiesOfUndos);
