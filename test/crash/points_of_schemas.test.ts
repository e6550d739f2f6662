import { killedEverywhere } from "./killing.ts";
import { storiesOfSchemas } from "./stories_of_schemas.ts";

killedEverywhere(storiesOfSchemas);
