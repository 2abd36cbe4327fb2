/** Follows tasks for a subscription: what each is now, then every change until it is over. */
import type { FollowedTasks } from '../../protocol/modern/task-feed.js';
import { detailedView, isOver, type TaskRecord } from './record.js';
import type { TaskStore } from './store.js';

interface Followed {
  task: TaskRecord | undefined;
  end: () => void;
}

/**
 * @param owner whose tasks may be followed; @param longest id that is looked up
 * @throws whatever the store throws
 */
export async function followTasks(
  store: TaskStore,
  taskIds: readonly string[],
  owner: string,
  longest: number,
  tell: (task: Record<string, unknown>) => void,
): Promise<FollowedTasks> {
  const all = new Map<string, Followed>();
  let begun = false;
  const changed = (task: TaskRecord): void => {
    const followed = all.get(task.taskId);
    if (followed === undefined || (followed.task !== undefined && task.version <= followed.task.version)) return;
    followed.task = task;
    if (isOver(task)) followed.end();
    if (begun) tell(detailedView(task));
  };
  const drop = (taskId: string): void => {
    all.get(taskId)?.end();
    all.delete(taskId);
  };
  const end = (): void => {
    for (const taskId of [...all.keys()]) drop(taskId);
  };
  // Watched before it is looked at: a change in between would be told to nobody.
  for (const taskId of new Set(taskIds)) {
    if (taskId.length <= longest) all.set(taskId, { task: undefined, end: store.watch(taskId, changed) });
  }
  try {
    await Promise.all(
      [...all.keys()].map(async (taskId) => {
        const task = await store.get(taskId);
        if (task === undefined || task.owner !== owner) drop(taskId);
        else changed(task);
      }),
    );
  } catch (error) {
    end();
    throw error;
  }
  return {
    taskIds: [...all.keys()],
    begin() {
      begun = true;
      for (const { task } of [...all.values()]) if (task !== undefined) tell(detailedView(task));
    },
    end,
  };
}
