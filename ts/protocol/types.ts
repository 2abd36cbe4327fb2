/**
 * Wire types of the protocol: what server code sees and sends, for every revision that is served. Lists names only.
 *
 * Names follow the specification's schema. Where the revisions differ the newer shape is the type and the older one's
 * extra members are optional, so that one handler serves both eras. The protocol itself reads messages as untrusted JSON
 * and checks what it acts on.
 */
export type * from './types/auth.js';
export type * from './types/content.js';
export type * from './types/json-rpc.js';
export type * from './types/methods.js';
export type * from './types/offers.js';
export type * from './types/parties.js';
export type * from './types/questions.js';
export type * from './types/standard.js';
export type * from './types/tasks.js';
