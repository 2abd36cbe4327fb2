/**
 * Where schemas are: every `$id` and anchor of a document, and what a reference points to.
 *
 * A reference finds parts of the schema itself, documents that were handed in, and the metaschemas that are shipped.
 * Nothing is ever fetched: whatever else is named is an error that says so. Compiles nothing.
 */
import { type Dialect, dialectOf } from './dialects.js';
import { isObject, type Json } from './run.js';

export type Schema = Json | boolean;

/** A schema with an address of its own. */
export interface Resource {
  /** Absolute, without a fragment. */
  readonly uri: string;
  readonly root: Schema;
  readonly dialect: Dialect;
  readonly anchors: Map<string, Schema>;
  /** `$dynamicAnchor`s by name; `$recursiveAnchor: true` has the empty name. */
  readonly dynamic: Map<string, Json>;
}

export interface Target {
  readonly schema: unknown;
  readonly resource: Resource;
  /** The plain name that the reference ended in, when it was one. */
  readonly anchor: string | undefined;
  /** Where it stands in its document, for mistakes. */
  readonly at: string;
}

/** Base of schemas without `$id`: an address that no reference can mean by accident. */
const NOWHERE = 'json-schema://this/';

/** Deepest nesting of a schema; deeper ones are refused rather than risking the stack. */
export const MAX_SCHEMA_DEPTH = 200;

const SINGLE =
  'additionalProperties unevaluatedProperties propertyNames items additionalItems unevaluatedItems contains not if then else contentSchema'.split(
    ' ',
  );
const LISTS = 'allOf anyOf oneOf prefixItems items'.split(' ');
const MAPS = 'properties patternProperties $defs definitions dependentSchemas dependencies'.split(' ');

export class Resources {
  readonly #byUri = new Map<string, Resource>();
  readonly #homes = new Map<object, Resource>();
  readonly #document: (uri: string) => unknown;

  /** @param document gives a known document by its absolute URI, or undefined */
  constructor(document: (uri: string) => unknown) {
    this.#document = document;
  }

  /** Takes in a whole document; without `$schema` it is of the dialect `around` it. */
  add(schema: unknown, uri = NOWHERE, around?: Dialect): Resource {
    if (typeof schema !== 'boolean' && !isObject(schema)) throw new Error('/ must be an object or a boolean');
    const given = typeof schema === 'boolean' ? undefined : schema.$schema;
    const resource = this.#resource(schema, uri, dialectOf(given, around, this.#document));
    if (uri !== NOWHERE) this.#byUri.set(uri, resource);
    this.#walk(schema, resource, '', 0);
    return this.#homes.get(schema as object) ?? resource;
  }

  /** The resource that a part of a document belongs to; `around` for parts that no keyword leads to. */
  home(schema: object, around: Resource, at: string): Resource {
    if (!this.#homes.has(schema)) this.#walk(schema, around, at, 0);
    return this.#homes.get(schema) as Resource;
  }

  /** @throws Error when nothing is there, naming the reference */
  resolve(reference: string, from: Resource, at: string): Target {
    const lost = (why: string) => new Error(`${at || '/'}: can't resolve reference ${clip(reference)}: ${why}`);
    const { uri, fragment } = this.#address(reference, from, lost);
    const found = uri === from.uri ? from : (this.#byUri.get(uri) ?? this.#known(uri, from.dialect));
    if (found === undefined) throw lost(`${clip(uri)} is not part of the schema, and nothing is fetched`);
    if (fragment === '') return { schema: found.root, resource: found, anchor: '', at: '' };
    if (!fragment.startsWith('/')) {
      const schema = found.anchors.get(fragment);
      if (schema === undefined) throw lost('there is no such anchor');
      return { schema, resource: found, anchor: fragment, at: `#${fragment}` };
    }
    let schema: unknown = found.root;
    let resource = found;
    for (const part of fragment.slice(1).split('/')) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (typeof schema !== 'object' || schema === null || !Object.hasOwn(schema, name)) {
        throw lost('nothing is there');
      }
      schema = (schema as Json)[name];
      resource = this.#homes.get(schema as object) ?? resource;
    }
    return { schema, resource, anchor: undefined, at: fragment };
  }

  #address(reference: string, from: Resource, lost: (why: string) => Error): { uri: string; fragment: string } {
    try {
      if (reference.startsWith('#')) return { uri: from.uri, fragment: decodeURIComponent(reference.slice(1)) };
      const url = new URL(reference, from.uri);
      const fragment = decodeURIComponent(url.hash.slice(1));
      url.hash = '';
      return { uri: url.href, fragment };
    } catch {
      throw lost('it is no URI reference');
    }
  }

  #known(uri: string, around: Dialect): Resource | undefined {
    const document = this.#document(uri);
    if (document === undefined) return undefined;
    this.add(document, uri, around);
    return this.#byUri.get(uri);
  }

  #resource(root: Schema, uri: string, dialect: Dialect): Resource {
    return { uri, root, dialect, anchors: new Map(), dynamic: new Map() };
  }

  #walk(schema: unknown, around: Resource, at: string, depth: number): void {
    if (!isObject(schema) || this.#homes.has(schema)) return;
    if (depth > MAX_SCHEMA_DEPTH) throw new Error(`nested deeper than ${MAX_SCHEMA_DEPTH} levels`);
    const home = this.#identify(schema, around, at);
    this.#homes.set(schema, home);
    for (const keyword of SINGLE) {
      if (schema[keyword] !== undefined) this.#walk(schema[keyword], home, `${at}/${keyword}`, depth + 1);
    }
    for (const keyword of LISTS) {
      const list = schema[keyword];
      if (!Array.isArray(list)) continue;
      for (const [i, each] of list.entries()) this.#walk(each, home, `${at}/${keyword}/${i}`, depth + 1);
    }
    for (const keyword of MAPS) {
      const map = schema[keyword];
      if (!isObject(map)) continue;
      for (const name of Object.keys(map)) this.#walk(map[name], home, `${at}/${keyword}/${name}`, depth + 1);
    }
  }

  /** Notes the names that this schema has, and gives the resource that it is in: itself, when it has an `$id`. */
  #identify(schema: Json, around: Resource, at: string): Resource {
    const { unknown, refSiblings } = around.dialect;
    if (schema.$ref !== undefined && !refSiblings) return around;
    let home = around;
    const { $id: id } = schema;
    if (id !== undefined) {
      if (typeof id !== 'string') throw new Error(`${at}/$id must be a string`);
      if (id.startsWith('#') && around.dialect.name === 'draft-07') home.anchors.set(id.slice(1), schema);
      else home = this.#named(schema, id, around, at);
    }
    const { $anchor: anchor, $dynamicAnchor: dynamic, $recursiveAnchor: recursive } = schema;
    if (typeof anchor === 'string' && !unknown.has('$anchor')) home.anchors.set(anchor, schema);
    if (typeof dynamic === 'string' && !unknown.has('$dynamicAnchor')) {
      home.anchors.set(dynamic, schema);
      home.dynamic.set(dynamic, schema);
    }
    if (recursive === true && !unknown.has('$recursiveAnchor') && home.root === schema) home.dynamic.set('', schema);
    return home;
  }

  #named(schema: Json, id: string, around: Resource, at: string): Resource {
    let url: URL;
    try {
      url = new URL(id, around.uri);
    } catch {
      throw new Error(`${at}/$id is no URI reference: ${clip(id)}`);
    }
    if (url.hash !== '') throw new Error(`${at}/$id must not have a fragment: ${clip(id)}`);
    url.hash = '';
    const before = this.#byUri.get(url.href);
    if (before !== undefined && before.root !== schema) throw new Error(`${at}/$id is there twice: ${clip(id)}`);
    const given = schema.$schema;
    const resource = this.#resource(schema, url.href, dialectOf(given, around.dialect, this.#document));
    this.#byUri.set(url.href, resource);
    // A document is found by the address it was handed in under, and by the one it gives itself.
    if (around.root === schema && around.uri !== NOWHERE) this.#byUri.set(around.uri, resource);
    return resource;
  }
}

function clip(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
}
