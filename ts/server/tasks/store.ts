/**
 * Where tasks are kept: types only. The memory of one process by default; something shared where many processes serve the
 * same clients, because any of them may be asked about a task that another one runs.
 */
import type { TaskRecord, TaskStep } from './record.js';

export interface TaskStore {
  /**
   * Keeps a new task, which this process runs; when this resolves, {@link get} finds it, in every process.
   * @throws {TaskLimitError} when there is no room for another one
   */
  create(task: TaskRecord): Promise<void>;
  /**
   * Undefined when it is not there, or no longer. A task whose process is known to be gone is `failed`.
   */
  get(taskId: string): Promise<TaskRecord | undefined>;
  /**
   * Takes a step with the task as it is, all of it or nothing. Steps at the same time come one after the other: each is
   * given what the one before made of the task.
   * @param step may be called several times
   * @returns the task after the step; undefined when the step left it as it was, or it is gone
   */
  update(taskId: string, step: TaskStep): Promise<TaskRecord | undefined>;
  /**
   * Tells every change of a task from now on, made here (before {@link update} resolves) or in another process (within the
   * time that the store says). Of changes in quick succession the last is told for sure.
   * @param listener must not throw; @returns ends it
   */
  watch(taskId: string, listener: (task: TaskRecord) => void): () => void;
  /** Gives back what it holds. Idempotent. */
  close(): Promise<void>;
}
