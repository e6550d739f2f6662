import { killedEverywhere } from "./killing.ts";
import { storiesOfSql } from "./stories_of_sql.ts";

killedEverywhere(storiesOfSql);
