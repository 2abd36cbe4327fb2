/** What the tasks extension refuses by itself, in words that clients may read. */

/** There are as many tasks as there may be. */
export class TaskLimitError extends Error {
  constructor(most: number) {
    super(`No room for another task: ${most} are running. Try again later`);
    this.name = 'TaskLimitError';
  }
}
