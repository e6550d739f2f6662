import { killedEverywhere } from "./killing.ts";
import { storiesOfChildren } from "./stories_of_children.ts";

killedEverywhere(storiesOfChildren);
