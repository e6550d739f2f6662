/** The children as they are built. */
export const built = {
  opensFirst: false,
  waitIsTurn: true,
  dropIsFenced: true,
  tellsWithEnd: true,
  deleteTells: true,
  readsAgain: true,
  cancelsEnded: true,
};

const places = {
  "cancel, crash": { cancel: 1, crash: 1, end: 1 },
  "drop, crash": { drop: 1, crash: 1, end: 1 },
  "cancel, drop": { cancel: 1, drop: 1, end: 1 },
  "2 crashes": { crash: 2, end: 1 },
  "delete, retry": { delete: 1, retry: 1, end: 2 },
  "retry, cancel": { retry: 1, cancel: 1, end: 2 },
  "twice, drop": { twice: 1, drop: 1, end: 1 },
};
export const scenarios = Object.fromEntries(
  Object.entries(places).map(([place, env]) => [place, { env }]),
);

/** What is changed, and whether it still holds. */
export const variants = {
  "children": [{}, "holds"],
  "a child starts in a transaction of its own": [{ opensFirst: true }, "fails"],
  "a step waits for its child without a turn": [{ waitIsTurn: false }, "fails"],
  "a drop is not fenced by the revision": [{ dropIsFenced: false }, "fails"],
  "a parent is told in a transaction of its own": [{ tellsWithEnd: false }, "fails"],
  "a deleted child tells nobody": [{ deleteTells: false }, "fails"],
  "a child that has ended is not cancelled": [{ cancelsEnded: false }, "fails"],
  "the end of a child is not read again": [{ readsAgain: false }, "fails"],
};
