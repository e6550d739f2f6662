// What a turn of an instance does that undoes: lets end what can be undone, then undoes in the order of causes.

export const isUndo = (step) => step[0] === "~";
export const canBeUndone = (graph, step) => graph.undoable?.includes(step) === true;

// The value of a row of R, which is falsy while it is unread.
export const rowFailed = 2, rowDropped = 3;

// What has ended in an instance, as its rows say.
export const historyOf = (s, i) =>
  Object.keys(s.R).filter((row) => row.startsWith(i + "/") && s.R[row] && s.R[row] !== rowDropped)
    .map((row) => {
      const [, step, activation] = row.split("/");
      return [step, Number(activation), ...(s.R[row] === rowFailed ? ["failed"] : [])];
    })
    .filter(([, activation]) => activation > 0);

function causes(graph, from, to) {
  return graph.next[from].some((step) => step === to || causes(graph, step, to));
}

const done = (graph, ended) =>
  ended.filter(([step, , failed]) => !isUndo(step) && !failed && canBeUndone(graph, step));
const undone = (ended) =>
  new Set(ended.filter(([step, , failed]) => isUndo(step) && !failed).map(([step, a]) => step + a));

// What has been done and not undone.
export const left = (graph, ended) => {
  const over = undone(ended);
  return done(graph, ended).filter(([step, a]) => !over.has("~" + step + a));
};

// What must be undone before a step may be.
export const before = (graph, ended, [step, activation]) =>
  left(graph, ended).filter(([other, a]) =>
    other === step ? a > activation : causes(graph, step, other)
  );

// The undos that nothing stands in the way of, those that run and those that have failed left out.
export function nextUndos(graph, ended, active) {
  const tried = new Set(ended.filter(([step]) => isUndo(step)).map(([step, a]) => step + a));
  return left(graph, ended).filter(([step, a]) =>
    !(("~" + step) in active) && !tried.has("~" + step + a) &&
    before(graph, ended, [step, a]).length === 0
  );
}
