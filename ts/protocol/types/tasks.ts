/**
 * Tasks as revision 2025-11-25 has them: the words of its wire, which the tasks extension has replaced. Types only.
 */
import type { NotificationParams, PaginatedRequestParams, PaginatedResult, RequestParams, Result } from './json-rpc.js';

export type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';
export type TaskMetadata = {
  /** Milliseconds. */
  ttl?: number;
};
export type TaskAugmentedRequestParams = RequestParams & { task?: TaskMetadata };
export type TaskCreationParams = {
  /** Milliseconds. */
  ttl?: number;
  /** Milliseconds. */
  pollInterval?: number;
  [key: string]: unknown;
};
export type RelatedTaskMetadata = { taskId: string };
export type Task = {
  taskId: string;
  status: TaskStatus;
  /** Milliseconds from creation; null: kept without end. */
  ttl: number | null;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601. */
  lastUpdatedAt: string;
  /** Milliseconds. */
  pollInterval?: number;
  statusMessage?: string;
};
export interface CreateTaskResult extends Result {
  task: Task;
}
export type TaskStatusNotificationParams = NotificationParams & Task;
export type TaskStatusNotification = { method: 'notifications/tasks/status'; params: TaskStatusNotificationParams };
type OneTask = RequestParams & { taskId: string };
export type GetTaskRequest = { method: 'tasks/get'; params: OneTask };
export type GetTaskResult = Result & Task;
export type GetTaskPayloadRequest = { method: 'tasks/result'; params: OneTask };
export type GetTaskPayloadResult = Result;
export type ListTasksRequest = { method: 'tasks/list'; params?: PaginatedRequestParams };
export interface ListTasksResult extends PaginatedResult {
  tasks: Task[];
}
export type CancelTaskRequest = { method: 'tasks/cancel'; params: OneTask };
export type CancelTaskResult = Result & Task;
