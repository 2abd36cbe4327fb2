/**
 * Keywords that hold further schemas for the same value: `allOf`, `anyOf`, `oneOf`, `not`, `if`.
 *
 * Every branch is run once, in one mood: running it quietly first and loudly after a failure would double the work with
 * each level of nesting.
 */
import type { Issue } from '../../standard.js';
import { MAX_PROBLEMS } from '../../validate.js';
import { branches, type Keywords } from '../place.js';
import { always, type Check, enough, fail, nothingSeen, quietly, type Run, takeOver } from '../run.js';

export const allOf: Keywords = (schema, place) => {
  const all = branches(schema, 'allOf', place);
  if (all === undefined) return undefined;
  return (value, up, key, run, seen) => {
    let valid = true;
    for (const branch of all) {
      if (branch(value, up, key, run, seen)) continue;
      valid = false;
      if (enough(run)) break;
    }
    return valid;
  };
};

export const anyOf: Keywords = (schema, place) => {
  const any = branches(schema, 'anyOf', place);
  return any && choice(any, false);
};

export const oneOf: Keywords = (schema, place) => {
  const any = branches(schema, 'oneOf', place);
  return any && choice(any, true);
};

function choice(any: Check[], onlyOne: boolean): Check {
  return (value, up, key, run, seen) => {
    const { out } = run;
    let passed = 0;
    let fewest: Issue[] | undefined;
    for (const branch of any) {
      const mine = seen === null ? null : nothingSeen();
      const problems: Issue[] | null = out === null ? null : [];
      run.out = problems;
      if (branch(value, up, key, run, mine)) {
        passed++;
        if (mine !== null && seen !== null) takeOver(seen, mine);
        // Another branch can still spoil `oneOf`, and add to what was seen by `anyOf`.
        if (onlyOne ? passed > 1 : seen === null) break;
      } else if (problems !== null && (fewest === undefined || problems.length < fewest.length)) fewest = problems;
    }
    run.out = out;
    if (passed > 1 && onlyOne) return fail(run, up, key, `matches more than one of the ${any.length} allowed forms`);
    return passed > 0 || none(run, fewest, () => fail(run, up, key, `matches none of the ${any.length} allowed forms`));
  };
}

/** What is wrong with the nearest form helps more than the list of all of them. */
function none(run: Run, nearest: Issue[] | undefined, say: () => void): false {
  say();
  for (const problem of nearest ?? []) if (run.out !== null && run.out.length <= MAX_PROBLEMS) run.out.push(problem);
  return false;
}

export const not: Keywords = (schema, place) => {
  if (schema.not === undefined) return undefined;
  const excluded = place.sub(schema.not, '/not');
  return (value, up, key, run) =>
    !quietly(excluded, value, run, null) || fail(run, up, key, 'has the form that "not" excludes');
};

export const condition: Keywords = (schema, place) => {
  if (schema.if === undefined) return undefined;
  const test = place.sub(schema.if, '/if');
  const yes = schema.then === undefined ? always : place.sub(schema.then, '/then');
  const no = schema.else === undefined ? always : place.sub(schema.else, '/else');
  return (value, up, key, run, seen) => {
    const mine = seen === null ? null : nothingSeen();
    if (!quietly(test, value, run, mine)) return no(value, up, key, run, seen);
    if (mine !== null && seen !== null) takeOver(seen, mine);
    return yes(value, up, key, run, seen);
  };
};
