/**
 * URI templates (RFC 6570) read backwards: which variables does this URI give?
 *
 * `{var}` and `{.var}` match one segment (no "/" or ","), `{/var}` a slash and a segment, `{+var}` and `{#var}` anything,
 * `{?a,b}` and `{&a}` a query whose names may be left out and come in any order. `{var*}` splits at commas. Values are
 * given as they stand in the URI, not decoded. No regular expressions: a table of (part, position) is filled once, so the
 * time is at most the template's length times the URI's, whatever a hostile URI looks like.
 */
import type { CompleteResourceTemplateCallback, ListResourcesCallback } from './types.js';

export type Variables = Record<string, string | string[]>;

/** Longest template, URI to match, and variable name, in characters; most expressions in a template. */
const MAX_TEMPLATE = 4096;
const MAX_URI = 65_536;
const MAX_NAME = 256;
const MAX_EXPRESSIONS = 100;

interface Expression {
  readonly operator: string;
  readonly names: readonly string[];
  readonly exploded: ReadonlySet<string>;
}
/** A literal, or one variable with the characters that it cannot hold. */
type Step = string | { readonly name: string; readonly exploded: boolean; readonly stops: string };

export class UriTemplate {
  readonly #template: string;
  readonly #parts: readonly (string | Expression)[];
  readonly #steps: Step[] = [];
  /** Names of the trailing query expression. */
  readonly #query: Expression[] = [];
  /** Characters that end the part before the query: the first "?", or the (n + 1)st "&" after n literal ones. */
  #ampersands = 0;

  /** @throws TypeError when the template is malformed or cannot be matched */
  constructor(template: string) {
    if (typeof template !== 'string') throw new TypeError('A URI template must be a string');
    if (template.length > MAX_TEMPLATE) throw new TypeError(`A URI template has at most ${MAX_TEMPLATE} characters`);
    this.#template = template;
    this.#parts = parse(template);
    for (const part of this.#parts) this.#plan(part);
  }

  /** Whether a string holds any expression. */
  static isTemplate(text: string): boolean {
    const open = text.indexOf('{');
    return open !== -1 && text.indexOf('}', open) > open + 1;
  }

  get variableNames(): string[] {
    return this.#parts.flatMap((part) => (typeof part === 'string' ? [] : part.names));
  }

  toString(): string {
    return this.#template;
  }

  #plan(part: string | Expression): void {
    const isQuery = typeof part !== 'string' && (part.operator === '?' || part.operator === '&');
    if (isQuery) {
      this.#query.push(part);
      return;
    }
    if (this.#query.length > 0) throw new TypeError(`Nothing can follow the query in URI template ${this.#template}`);
    if (typeof part === 'string') {
      this.#steps.push(part);
      this.#ampersands += part.split('&').length - 1;
      return;
    }
    const lead = part.operator === '/' || part.operator === '.' ? part.operator : '';
    for (const [i, name] of part.names.entries()) {
      if (i === 0 ? lead !== '' : true) this.#steps.push(i === 0 ? lead : lead || ',');
      const stops = part.operator === '+' || part.operator === '#' ? '' : '/,';
      const exploded = part.exploded.has(name);
      this.#steps.push({ name, exploded, stops: exploded ? stops.replace(',', '') : stops });
    }
  }

  /**
   * The variables of a URI, or null when it does not match.
   * @param work when given, `work.steps` is increased by the comparisons made: what the linear-time test counts
   */
  match(uri: string, work?: { steps: number }): Variables | null {
    if (uri.length > MAX_URI) return null;
    const variables = Object.create(null) as Variables;
    let end = uri.length;
    if (this.#query.length > 0) {
      end = this.#queryStart(uri);
      if (!this.#matchQuery(uri.slice(end), variables)) return null;
    }
    return matchSteps(this.#steps, uri, end, variables, work) ? variables : null;
  }

  #queryStart(uri: string): number {
    if ((this.#query[0] as Expression).operator === '?') {
      const at = uri.indexOf('?');
      return at === -1 ? uri.length : at;
    }
    let at = -1;
    for (let n = 0; n <= this.#ampersands; n++) {
      at = uri.indexOf('&', at + 1);
      if (at === -1) return uri.length;
    }
    return at;
  }

  #matchQuery(query: string, variables: Variables): boolean {
    if (query === '') return true;
    const wanted = new Map<string, boolean>();
    for (const part of this.#query) for (const name of part.names) wanted.set(name, part.exploded.has(name));
    for (const pair of query.slice(1).split('&', wanted.size + 1)) {
      const equals = pair.indexOf('=');
      const name = equals === -1 ? pair : pair.slice(0, equals);
      const exploded = wanted.get(name);
      // A name that is not asked for, or stands twice, is another URI.
      if (exploded === undefined || equals === -1 || name in variables) return false;
      variables[name] = textOrList(pair.slice(equals + 1), exploded);
    }
    return true;
  }

  /** The URI for these variables; what is undefined is left out. */
  expand(variables: Readonly<Record<string, string | string[] | undefined>>): string {
    let uri = '';
    for (const part of this.#parts) uri += typeof part === 'string' ? part : expand(part, variables, uri.includes('?'));
    return uri;
  }
}

function parse(template: string): (string | Expression)[] {
  const parts: (string | Expression)[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    const literal = template.slice(at, open === -1 ? template.length : open);
    if (literal.includes('}')) throw new TypeError(`Unopened "}" in URI template ${template}`);
    if (literal !== '') parts.push(literal);
    if (open === -1) break;
    const close = template.indexOf('}', open);
    if (close === -1) throw new TypeError(`Unclosed "{" in URI template ${template}`);
    parts.push(parseExpression(template.slice(open + 1, close), template));
    at = close + 1;
  }
  const expressions = parts.filter((part) => typeof part !== 'string');
  if (expressions.length > MAX_EXPRESSIONS)
    throw new TypeError(`A URI template has at most ${MAX_EXPRESSIONS} expressions`);
  const names = expressions.flatMap((part) => part.names);
  if (new Set(names).size !== names.length) throw new TypeError(`A variable stands twice in URI template ${template}`);
  return parts;
}

function parseExpression(text: string, template: string): Expression {
  const operator = '+#./?&'.includes(text.charAt(0)) ? text.charAt(0) : '';
  const exploded = new Set<string>();
  const names = text
    .slice(operator.length)
    .split(',')
    .map((spec) => {
      const name = spec.trim().replace(/\*$/, '');
      if (name !== spec.trim()) exploded.add(name);
      if (!/^[A-Za-z0-9_.%-]+$/.test(name) || name.length > MAX_NAME) {
        throw new TypeError(`Bad variable name "${name.slice(0, 80)}" in URI template ${template}`);
      }
      return name;
    });
  return { operator, names, exploded };
}

/**
 * Leftmost variables take as much as they can, as a greedy expression would. Filled from the end: `fits[i][p]` says
 * whether steps i... match from position p; then one walk forward reads the variables off.
 */
function matchSteps(
  steps: readonly Step[],
  uri: string,
  end: number,
  out: Variables,
  work: { steps: number } | undefined,
): boolean {
  // Most URIs belong to another template: the literal at the start decides that before any table is made.
  const first = steps[0];
  if (typeof first === 'string' && !uri.startsWith(first)) return false;
  const width = end + 1;
  const fits = new Uint8Array((steps.length + 1) * width);
  fits[steps.length * width + end] = 1;
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i] as Step;
    const row = i * width;
    if (typeof step === 'string') {
      for (let p = end - step.length; p >= 0; p--) {
        if (fits[row + width + p + step.length] === 1 && uri.startsWith(step, p)) fits[row + p] = 1;
      }
      if (work !== undefined) work.steps += width * step.length;
    } else {
      for (let p = end - 1; p >= 0; p--) {
        const holds = !step.stops.includes(uri.charAt(p));
        if (holds && (fits[row + p + 1] === 1 || fits[row + width + p + 1] === 1)) fits[row + p] = 1;
      }
      if (work !== undefined) work.steps += width;
    }
  }
  if (fits[0] !== 1) return false;
  let p = 0;
  for (const [i, step] of steps.entries()) {
    if (typeof step === 'string') {
      p += step.length;
      continue;
    }
    const from = p;
    do p++;
    while (fits[i * width + p] === 1);
    out[step.name] = textOrList(uri.slice(from, p), step.exploded);
  }
  return true;
}

function textOrList(text: string, exploded: boolean): string | string[] {
  return exploded && text.includes(',') ? text.split(',') : text;
}

function expand(
  part: Expression,
  variables: Readonly<Record<string, string | string[] | undefined>>,
  queried: boolean,
): string {
  const { operator } = part;
  const encode = operator === '+' || operator === '#' ? encodeURI : encodeURIComponent;
  const values: string[] = [];
  for (const name of part.names) {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value === undefined) continue;
    const separator = part.exploded.has(name) && (operator === '/' || operator === '.') ? operator : ',';
    const text = (Array.isArray(value) ? value : [value]).map((item) => encode(String(item))).join(separator);
    values.push(operator === '?' || operator === '&' ? `${name}=${text}` : text);
  }
  if (values.length === 0) return '';
  if (operator === '?' || operator === '&') return (queried ? '&' : '?') + values.join('&');
  if (operator === '/' || operator === '.') return operator + values.join(operator);
  return (operator === '#' ? '#' : '') + values.join(',');
}

/** A URI template with what can be said about the resources behind it. */
export class ResourceTemplate {
  readonly #uriTemplate: UriTemplate;
  readonly #callbacks: {
    list: ListResourcesCallback | undefined;
    complete?: { [variable: string]: CompleteResourceTemplateCallback };
  };

  /**
   * @param callbacks `list` gives the resources that match now, for `resources/list`; it must be named even when it is
   * undefined, so that it is not forgotten. `complete` suggests values of a variable.
   */
  constructor(
    uriTemplate: string | UriTemplate,
    callbacks: {
      list: ListResourcesCallback | undefined;
      complete?: { [variable: string]: CompleteResourceTemplateCallback };
    },
  ) {
    this.#uriTemplate = typeof uriTemplate === 'string' ? new UriTemplate(uriTemplate) : uriTemplate;
    this.#callbacks = callbacks;
  }

  get uriTemplate(): UriTemplate {
    return this.#uriTemplate;
  }
  get listCallback(): ListResourcesCallback | undefined {
    return this.#callbacks.list;
  }
  completeCallback(variable: string): CompleteResourceTemplateCallback | undefined {
    const complete = this.#callbacks.complete;
    return complete !== undefined && Object.hasOwn(complete, variable) ? complete[variable] : undefined;
  }
}
