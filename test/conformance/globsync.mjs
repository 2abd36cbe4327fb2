// For `--import`: lets the suite start on Node 20, which has no fs.globSync. See globsync-hook.mjs.
import fs from 'node:fs';
import { register } from 'node:module';

if (fs.globSync === undefined) register('./globsync-hook.mjs', import.meta.url);
