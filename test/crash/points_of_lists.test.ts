import { killedEverywhere } from "./killing.ts";
import { storiesOfLists } from "./stories_of_lists.ts";

killedEverywhere(storiesOfLists);
