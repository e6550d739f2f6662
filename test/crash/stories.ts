import { storiesOfCallers } from "./stories_of_callers.ts";
import { storiesOfChildren } from "./stories_of_children.ts";
import { storiesOfDeadlines } from "./stories_of_deadlines.ts";
import { storiesOfLists } from "./stories_of_lists.ts";
import { storiesOfSchemas } from "./stories_of_schemas.ts";
import { storiesOfSql } from "./stories_of_sql.ts";
import { storiesOfUndos } from "./stories_of_undos.ts";
import { storiesOfWorkers } from "./stories_of_workers.ts";
import type { Story } from "./story.ts";

/** Everything that effects of the engine belong to. */
export const stories: readonly Story[] = [
  ...storiesOfCallers,
  ...storiesOfWorkers,
  ...storiesOfUndos,
  ...storiesOfDeadlines,
  ...storiesOfChildren,
  ...storiesOfLists,
  ...storiesOfSchemas,
  ...storiesOfSql,
];
