// Registry: who answers, among 1000 tools; counting a call.

const TOOLS = 1000;
const METHOD = 'tools/call';
const names = Array.from({ length: TOOLS }, (_, index) => `tool_number_${index}`);

/** Names as they come from the wire: not interned, never the same object twice. */
const asked = Buffer.from(names[700]);

function filled({ registry }) {
  const routes = registry.create();
  for (const [index, name] of names.entries()) routes.handler(METHOD, name, index);
  routes.publish();
  return routes;
}

const map = new Map(names.map((name, index) => [`${METHOD} ${name}`, index + 1]));
const counts = new Float64Array(3 * TOOLS);

export const rows = [
  {
    row: 'registry route, 1000 tools',
    engine: (engine) => {
      const routes = filled(engine);
      return () => routes.route(METHOD, asked.latin1Slice());
    },
    others: { 'Map.get': () => map.get(`${METHOD} ${asked.latin1Slice()}`) },
    right: (result) => result >= 0,
  },
  {
    row: 'registry record',
    engine: (engine) => {
      const routes = filled(engine);
      const entry = routes.route(METHOD, names[700]);
      return () => routes.record(entry, 0, 1500);
    },
    others: {
      'typed array': () => {
        counts[700 * 3] += 1;
        counts[700 * 3 + 2] += 1500;
      },
    },
    right: () => true,
  },
];
