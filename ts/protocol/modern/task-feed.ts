/**
 * What `subscriptions/listen` has to know of the tasks extension: which tasks were asked for, and who follows them. Tasks
 * themselves are the server's (ts/server/tasks).
 */
import type { Exchange } from '../exchange.js';
import { type Incoming, type Members, own } from '../incoming.js';
import { invalidParams } from '../requests.js';
import type { AuthInfo } from '../types.js';

export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** Tasks that somebody follows. */
export interface FollowedTasks {
  /** Those of the tasks asked for that there are, and that belong to who asked. */
  readonly taskIds: readonly string[];
  /** Tells what each of them is now, and from then on every change. */
  begin(): void;
  end(): void;
}

export interface TaskFeed {
  /** @param tell is given the params of `notifications/tasks`, without `_meta` */
  follow(
    taskIds: readonly string[],
    auth: AuthInfo | undefined,
    tell: (task: Record<string, unknown>) => void,
  ): Promise<FollowedTasks>;
}

/** Most tasks of one subscription. */
const MAX_TASKS = 1024;

/**
 * `notifications.taskIds`; empty when nothing was asked for, or the server has no tasks.
 * @throws {ProtocolError} -32602; -32021 when the client did not declare the extension
 */
export function readTaskIds(exchange: Exchange, message: Incoming, notifications: Members): readonly string[] {
  const ids = own(notifications, 'taskIds');
  if (ids === undefined || exchange.state.offer.tasks === undefined) return [];
  exchange.context(message, undefined).requireCapability('extensions', TASKS_EXTENSION);
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    throw invalidParams('"notifications.taskIds" must be an array of task ids');
  }
  if (ids.length > MAX_TASKS) throw invalidParams(`"notifications.taskIds" must hold at most ${MAX_TASKS} ids`);
  return ids;
}
