// Loader hook: the suite imports fs.globSync, and uses it in commands only that are not run here. In its place it gets a
// function that finds nothing.
export async function load(url, context, next) {
  const loaded = await next(url, context);
  if (!url.endsWith('/conformance/dist/index.js')) return loaded;
  const source = String(loaded.source);
  const alias = /globSync as (\w+),/.exec(source);
  if (alias === null) return loaded;
  return { ...loaded, source: `${source.replace(alias[0], '')}\nfunction ${alias[1]}() { return []; }\n` };
}
